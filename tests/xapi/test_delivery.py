"""From an event to a statement at a learning record store, through the real event routing."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from dateutil.parser import isoparse
from eventtracking import tracker
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.models import AnswerFeedback
from openedx_ai_extensions.xapi.events import emit_feedback
from tests.conftest import COURSE_ID, UNIT_ID
from tests.fakes.platform_ids import COURSE_TITLE, external_user_id
from tests.waiting import PATIENCE
from tests.xapi.conftest import USAGE

EXTENSION = "https://w3id.org/xapi/openedx/extension/"


def test_a_run_arrives_as_one_complete_statement(lrs, emit, learner):
    emit(prompt_template_slug="kind-tutor")

    (statement,) = lrs.statements
    context = statement.pop("context")
    assert uuid.UUID(statement.pop("id"))
    assert isoparse(statement.pop("timestamp")).utcoffset() is not None
    assert statement == {
        "version": "1.0.3",
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": "http://lms.example.com", "name": str(external_user_id(learner))},
        },
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
        "object": {
            "objectType": "Activity",
            "id": "http://lms.example.com/ai_workflow/summary__run",
            "definition": {
                "type": "https://w3id.org/xapi/openedx/activity/ai-workflow",
                "name": {"en": "summary"},
                "description": {"en": "AI-powered educational workflow"},
                "extensions": {
                    f"{EXTENSION}ai-workflow-action": "run",
                    f"{EXTENSION}prompt-template-slug": "kind-tutor",
                    f"{EXTENSION}location-id": UNIT_ID,
                    f"{EXTENSION}ai-usage": USAGE,
                },
            },
        },
    }
    assert context["contextActivities"] == {
        "parent": [
            {
                "objectType": "Activity",
                "id": f"http://lms.example.com/course/{COURSE_ID}",
                "definition": {
                    "type": "http://adlnet.gov/expapi/activities/course",
                    "name": {"en-US": COURSE_TITLE},
                },
            }
        ]
    }


@pytest.mark.parametrize("word", ["completed", "initialized", "interacted"])
def test_each_event_has_its_verb(lrs, emit, word):
    emit(f"openedx.ai.workflow.{word}")
    (statement,) = lrs.statements
    assert statement["verb"] == {"id": f"http://adlnet.gov/expapi/verbs/{word}", "display": {"en": word}}
    assert statement["object"]["definition"]["extensions"][f"{EXTENSION}ai-usage"] == USAGE


@pytest.mark.parametrize(
    ("said", "verb", "word", "result"),
    [
        ({"rating": "down"}, "https://w3id.org/xapi/openedx/verb/voted", "voted", {"response": "down"}),
        ({"reported": True}, "https://w3id.org/xapi/acrossx/verbs/reported", "reported", None),
    ],
)
def test_feedback_is_a_statement_about_the_answer(lrs, learner, said, verb, word, result):
    fields = {"course_id": COURSE_ID, "location_id": UNIT_ID, "profile_slug": "summary", "profile_version": 2}
    feedback = AnswerFeedback(user=learner, run_id="r1", action="run", reason="wrong", text="Secret", **fields, **said)
    emit_feedback(learner, feedback, said)
    (statement,) = lrs.statements
    assert (statement["verb"], statement.get("result")) == ({"id": verb, "display": {"en": word}}, result)
    assert statement["object"] == {
        "objectType": "Activity",
        "id": "http://lms.example.com/ai_answer/r1",
        "definition": {
            "type": "https://w3id.org/xapi/openedx/activity/ai-answer",
            "name": {"en": "summary"},
            "extensions": {
                f"{EXTENSION}ai-workflow-action": "run",
                f"{EXTENSION}ai-workflow-version": 2,
                f"{EXTENSION}location-id": UNIT_ID,
                f"{EXTENSION}ai-feedback-reason": "wrong",
            },
        },
    }
    assert "Secret" not in str(statement)


def test_a_conversation_leaves_a_statement_for_each_turn(lrs, make_scope, learner, provider):
    scope = make_scope(base_filepath="base/chat.json5", slug="tutor")
    where = {"course_id": CourseKey.from_string(COURSE_ID), "location_id": UsageKey.from_string(UNIT_ID)}
    for words in ("Why?", "How?"):
        list(scope.execute(words, "run", learner, {**where, "run_id": "r1", "accepts_stream": True}))
    assert [(statement["verb"]["display"]["en"], statement["object"]["id"]) for statement in lrs.statements] == [
        ("initialized", "http://lms.example.com/ai_workflow/tutor__run"),
        ("interacted", "http://lms.example.com/ai_workflow/tutor__run"),
    ]


def test_a_workflow_that_answers_leaves_one_statement(lrs, make_scope, learner):
    scope = make_scope(base_filepath="examples/mock.json5", slug="demo-answer")
    where = {"course_id": CourseKey.from_string(COURSE_ID), "location_id": UsageKey.from_string(UNIT_ID)}
    scope.execute("", "run", learner, {**where, "run_id": "r1", "accepts_stream": False})
    assert [statement["object"]["id"] for statement in lrs.statements] == [
        "http://lms.example.com/ai_workflow/demo-answer__run"
    ]


def test_the_statement_is_sent_with_the_routers_credentials(lrs, emit):
    emit()
    (request,) = lrs.requests
    assert (request.authorization.username, request.authorization.password) == ("lrs-user", "lrs-password")


def test_the_timestamp_is_the_moment_of_the_event(lrs, emit):
    emit()
    assert isoparse(lrs.statements[0]["timestamp"]) == lrs.tracked[0]["timestamp"]


@pytest.mark.parametrize(
    ("changes", "extensions"),
    [
        pytest.param({}, {"ai-workflow-action", "location-id", "ai-usage"}, id="no prompt template"),
        pytest.param({"location_id": None}, {"ai-workflow-action", "ai-usage"}, id="no location"),
        pytest.param({"usage": {}}, {"ai-workflow-action", "location-id"}, id="a provider that reports no usage"),
        pytest.param(
            {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}},
            {"ai-workflow-action", "location-id", "ai-usage"},
            id="a provider that reports that nothing was used",
        ),
    ],
)
def test_what_is_not_known_is_left_out(lrs, emit, changes, extensions):
    emit(**changes)
    names = lrs.statements[0]["object"]["definition"]["extensions"]
    assert set(names) == {f"{EXTENSION}{name}" for name in extensions}


def test_a_run_outside_a_course_has_no_parent(lrs, emit):
    emit(course_id=None, location_id=None)
    (statement,) = lrs.statements
    assert "parent" not in statement["context"].get("contextActivities", {})


@pytest.mark.parametrize(
    ("identifier", "actor"),
    [
        pytest.param("mbox", {"mbox": "mailto:learner@example.com"}, id="by mail address"),
        pytest.param(
            "mbox_sha1sum",
            {"mbox_sha1sum": hashlib.sha1(b"learner@example.com").hexdigest()},
            id="by a digest of the mail address",
        ),
    ],
)
def test_the_actor_is_named_as_the_site_wants(lrs, emit, settings, identifier, actor):
    settings.XAPI_AGENT_IFI_TYPE = identifier
    emit()
    assert lrs.statements[0]["actor"] == {"objectType": "Agent", **actor}


def test_every_run_has_its_own_statement_id(lrs, emit):
    emit()
    emit()
    first, second = lrs.statements
    assert first["id"] != second["id"]


def test_an_event_that_is_not_allowed_is_not_delivered(lrs, completed):
    tracker.emit("openedx.ai.workflow.rehearsed", {**completed, "user": None})
    assert lrs.requests == []


def test_a_record_store_that_fails_is_tried_again_and_does_not_disturb_the_caller(lrs, emit, settings):
    lrs.status = 500
    emit()
    assert len(lrs.requests) == 1 + settings.EVENT_ROUTING_BACKEND_MAX_RETRIES
    assert len({statement["id"] for statement in lrs.statements}) == 1


@pytest.mark.redis
@pytest.mark.usefixtures("worker")
def test_a_worker_delivers_what_the_web_process_enqueued(lrs, emit):
    emit()
    assert lrs.reached.wait(timeout=PATIENCE)
    (statement,) = lrs.statements
    assert statement["object"]["id"] == "http://lms.example.com/ai_workflow/summary__run"
    assert isoparse(statement["timestamp"]) == lrs.tracked[0]["timestamp"]
