"""What an event starts, how often, and what the sender and the log get to know of it."""

from __future__ import annotations

import json
import uuid
from functools import partial

import pytest
from django.db import connection, transaction
from opaque_keys.edx.keys import CourseKey
from openedx_events.data import EventsMetadata

from openedx_ai_extensions.events import AI_ORCHESTRATION_REQUESTED, AIOrchestrationData
from openedx_ai_extensions.events.data import AIOrchestrationRequestData
from openedx_ai_extensions.models import AIWorkflowSession
from tests.conftest import COURSE_ID, SLOT, UNIT_ID, from_learner
from tests.events.conftest import request_for
from tests.fakes.steps import Fail

pytestmark = pytest.mark.usefixtures("consuming")

CHAT = "base/chat.json5"
NOTHING = ""


@pytest.fixture
def metadata():
    return EventsMetadata(event_type=AI_ORCHESTRATION_REQUESTED.event_type, id=uuid.uuid1())


def test_nothing_runs_unless_the_site_says_so(learner, provider, make_scope, outcome, settings):
    settings.AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER = False
    make_scope()
    assert outcome(request_for(learner)) == NOTHING
    assert not provider.requests


def test_a_turn_of_a_chat_is_stored_as_if_typed(learner, provider, make_scope, outcome, tracked):
    make_scope(base_filepath=CHAT)
    provider.reply("Because.")
    assert outcome(request_for(learner, user_input=json.dumps({"text": "Why?"}))) == "completed"
    thread = AIWorkflowSession.objects.get(user=learner).get_local_thread()
    assert [(message["role"], message["content"]) for message in thread] == [
        ("user", "Why?"),
        ("assistant", "Because."),
    ]
    (event,) = tracked
    assert (event["context"]["user_id"], event["context"]["course_id"]) == (learner.pk, COURSE_ID)


def test_a_stream_is_read_to_its_end(learner, make_scope, outcome, tracked):
    make_scope(patch={"orchestrator_class": "MockStreamResponse"})
    assert outcome(request_for(learner)) == "completed"
    assert [event["name"] for event in tracked] == ["openedx.ai.workflow.completed"]


@pytest.mark.parametrize(
    ("user_input", "expected"),
    [
        pytest.param("", "completed", id="nothing"),
        pytest.param("null", "completed", id="null"),
        pytest.param('{"text": "Why?"}', "completed", id="an object"),
        pytest.param('"\\ud83c\\udf31"', "completed", id="an emoji"),
        pytest.param('"\\ud83c"', "completed", id="half an emoji"),
        pytest.param("Why?", "validation_error", id="no JSON"),
        pytest.param("NaN", "validation_error", id="not a number"),
        pytest.param("[1]", "validation_error", id="nothing that the action takes"),
        pytest.param("[" * 100_000, "validation_error", id="nested beyond reason"),
        pytest.param(json.dumps("x" * 19_998), "completed", id="as long as allowed"),
        pytest.param(json.dumps("x" * 19_999), "payload_too_large", id="longer"),
    ],
)
def test_input(learner, provider, make_scope, outcome, user_input, expected):
    make_scope()
    assert outcome(request_for(learner, user_input=user_input)) == expected
    assert len(provider.requests) == (expected == "completed")


def test_what_cannot_be_stored_is_mended(learner, provider, make_scope, outcome):
    make_scope()
    outcome(request_for(learner, user_input='"leaf \\ud83c"'))
    assert provider.requests[0]["messages"][-1] == from_learner("leaf ?")


def test_an_event_delivered_three_times_runs_once(learner, provider, make_scope, outcome, metadata):
    make_scope(base_filepath=CHAT)
    request = request_for(learner)
    outcomes = [outcome(request, metadata) for _delivery in range(3)]
    assert outcomes == ["completed", "duplicate_request", "duplicate_request"]
    assert len(provider.requests) == 1
    assert len(AIWorkflowSession.objects.get().get_local_thread()) == 2


def test_two_events_that_say_the_same_are_two(learner, provider, make_scope, outcome):
    make_scope()
    assert [outcome(request_for(learner)), outcome(request_for(learner))] == ["completed", "completed"]


def test_an_event_that_failed_may_be_delivered_again(learner, provider, make_scope, outcome, metadata, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    make_scope(base_filepath=CHAT)
    provider.then(Fail(500))
    request = request_for(learner)
    assert [outcome(request, metadata) for _delivery in range(3)] == [
        "service_unavailable",
        "completed",
        "duplicate_request",
    ]
    (question, _answer) = AIWorkflowSession.objects.get().get_local_thread()
    assert question["content"] == "Why?"


def test_without_a_cache_it_runs(learner, provider, make_scope, outcome, settings):
    make_scope()
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    assert outcome(request_for(learner)) == "completed"


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("orchestrator", "expected"),
    [("Faulty", "failed"), ("FaultyStream", "failed"), ("Refusing", "enough_for_today")],
)
def test_a_fault_stays_here(learner, make_scope, outcome, settings, caplog, debug, orchestrator, expected):
    settings.DEBUG = debug
    make_scope(patch={"orchestrator_class": f"tests.api.samples.{orchestrator}"})
    assert outcome(request_for(learner, user_input='"my secret wish"')) == expected
    assert "secret wish" not in caplog.text


def test_it_waits_for_the_senders_transaction(learner, provider, make_scope, outcome):
    make_scope(base_filepath=CHAT)
    with transaction.atomic():
        assert outcome(request_for(learner)) == NOTHING
        assert not provider.requests
    assert len(provider.requests) == 1


def test_what_was_rolled_back_does_not_run(learner, provider, make_scope, outcome):
    make_scope()
    with transaction.atomic():
        outcome(request_for(learner))
        transaction.set_rollback(True)
    assert not provider.requests


def test_the_senders_connection_is_of_use_after_a_fault(learner, make_scope, outcome):
    make_scope(patch={"orchestrator_class": "tests.api.samples.Faulty"})
    with transaction.atomic():
        outcome(request_for(learner))
        learner.save()
    learner.refresh_from_db()
    assert connection.is_usable()


def test_no_word_is_logged(learner, provider, make_scope, outcome, caplog):
    make_scope(base_filepath=CHAT)
    provider.reply("A secret answer.")
    outcome(request_for(learner, user_input='"my secret wish"'))
    assert "event.orchestration.completed" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("with_metadata", [False, True])
def test_an_event_as_other_packages_send_it(learner, provider, make_scope, tracked, metadata, with_metadata):
    make_scope(patch={"orchestrator_class": "DirectLLMResponse"})
    send = AI_ORCHESTRATION_REQUESTED.send_event
    if with_metadata:
        send = partial(AI_ORCHESTRATION_REQUESTED.send_event_with_custom_metadata, metadata)
    send(
        ai_orchestration_request=AIOrchestrationRequestData(
            user_id=learner.pk,
            course_id=CourseKey.from_string(COURSE_ID),
            location_id=UNIT_ID,
            ui_slot_selector_id=SLOT,
            user_input={"text": "Warum? 🌱"},
            action="run",
        )
    )
    assert provider.requests[0]["messages"][-1] == from_learner("Warum? 🌱")
    assert len(tracked) == 1


@pytest.mark.parametrize("action", ["run", "run_async"])
@pytest.mark.parametrize("text", ["1e999", '{"text": "a", "x": 1e999}', "-1e999", "[1e999]"])
def test_numbers_beyond_json_are_refused(learner, make_scope, outcome, action, text):
    make_scope(base_filepath="base/chat.json5", slug="chat")
    assert outcome(request_for(learner, user_input=text, action=action)) == "validation_error"


@pytest.mark.parametrize("user_id", ["learner", "1 OR 1=1", None, 2**70, -1])
def test_ids_of_nobody_are_refused(make_scope, outcome, user_id):
    make_scope()
    assert (
        outcome(AIOrchestrationData(user_id=user_id, ui_slot_selector_id=SLOT, course_id=COURSE_ID))
        == "permission_denied"
    )
