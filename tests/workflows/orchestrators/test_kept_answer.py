"""A one-shot workflow keeps a person's last answer at a place, if its profile says so."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from openedx_ai_extensions.models import AIWorkflowRun, AIWorkflowSession
from openedx_ai_extensions.runtime.retirement import retire_user
from tests.api.conftest import HERE, Api
from tests.fakes.steps import Wire

JSON, SSE = {"Accept": "application/json"}, {"Accept": "text/event-stream"}
KEEPS = {"actuator_config": {"UIComponents": {"response": {"config": {"keepAnswer": True}}}}}
FORGETS = {"actuator_config": {"UIComponents": {"response": {"config": {"keepAnswer": False}}}}}
CUT_OFF = Wire(
    stream=[
        b'data: {"choices": [{"index": 0, "delta": {"content": "The first half, "}}]}\n\n',
        b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}\n\n',
        b"data: [DONE]\n\n",
    ]
)


@pytest.fixture
def page(provider, make_scope, learner):
    make_scope(patch=KEEPS)
    return Api(learner)


def ask(api, text=None, *, headers=JSON, **place):
    response = api.run(text, headers=headers, **place)
    assert response.status_code == 200, response.content
    if response.streaming:
        b"".join(response.streaming_content)


def kept(api, **place):
    response = api.run(action="get_current_session_response", **place)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize("headers", [JSON, SSE, {}], ids=["whole", "events", "plain stream"])
def test_the_last_answer_is_given_again(page, provider, headers):
    provider.reply("About leaves.")
    ask(page, "Leaves?", headers=headers)
    provider.reply("About roots.")
    ask(page, "Roots?", headers=headers)
    asked = len(provider.requests)
    answer = kept(page)
    assert answer.pop("run_id") == AIWorkflowRun.objects.latest("pk").run_id
    answered_at = datetime.fromisoformat(answer.pop("answered_at"))
    assert timezone.now() - timedelta(minutes=1) < answered_at <= timezone.now()
    assert answer == {"response": "About roots.", "question": "Roots?", "status": "completed"}
    assert len(provider.requests) == asked


def test_nothing_is_kept_before_an_answer_and_looking_stores_nothing(page):
    assert kept(page) == {"response": None, "status": "completed"}
    assert not AIWorkflowSession.objects.exists()


def test_each_place_and_person_has_their_own(page, provider, author):
    provider.reply("Mine, here.")
    ask(page)
    elsewhere = {**HERE, "locationId": HERE["locationId"].replace("unit_sunlight", "unit_sugar")}
    assert kept(page, context=elsewhere)["response"] is None
    assert kept(Api(author))["response"] is None
    assert kept(page)["response"] == "Mine, here."


def test_an_answer_that_was_cut_off_says_so_and_is_continued(page, provider):
    provider.then(CUT_OFF)
    ask(page, "Leaves?", headers=SSE)
    answer = kept(page)
    assert answer["finish_reason"] == "length"
    assert answer["response"].startswith("The first half, \n\n[")
    provider.reply("the second.")
    ask(page, {"text": "Continue: The first half, ", "continues": True}, headers=SSE)
    answer = kept(page)
    assert (answer["question"], answer["response"]) == ("Leaves?", "The first half, the second.")


@pytest.mark.parametrize("headers", [JSON, SSE], ids=["whole", "events"])
def test_a_failure_keeps_the_answer_before(page, provider, headers):
    provider.reply("The answer.")
    ask(page)
    provider.fail(401, times=1)
    page.run("Again?", headers=headers)
    assert kept(page)["response"] == "The answer."


def test_it_is_deleted_when_the_person_wants_it_and_at_the_retirement(page, provider, learner):
    for forget in (lambda: page.run(action="clear_session"), lambda: retire_user(learner)):
        provider.reply("The answer.")
        ask(page)
        assert AIWorkflowSession.objects.count() == 1
        forget()
        assert not AIWorkflowSession.objects.exists()
        assert kept(page)["response"] is None


def test_after_a_retirement_a_late_answer_is_not_kept(page, provider, learner):
    provider.reply(["First, ", "second."])
    response = page.run(headers=SSE)
    chunks = iter(response.streaming_content)
    next(chunks)
    retire_user(learner)
    b"".join(chunks)
    assert not AIWorkflowSession.objects.exists()


@pytest.mark.parametrize("patch", [{}, FORGETS], ids=["not said", "switched off"])
def test_other_profiles_keep_nothing(provider, make_scope, learner, patch):
    without = {"actuator_config": {"UIComponents": {"response": {"config": {"keepAnswer": None}}}}}
    make_scope(patch=patch or without)
    api = Api(learner)
    provider.reply("The answer.")
    ask(api)
    assert not AIWorkflowSession.objects.exists()
    assert kept(api) == {"response": None, "status": "completed"}


def test_a_profile_that_no_longer_keeps_answers_shows_none(page, provider, learner):
    provider.reply("The answer.")
    ask(page)
    profile = AIWorkflowSession.objects.get().profile
    profile.content_patch = '{"actuator_config": {"UIComponents": {"response": {"config": {"keepAnswer": null}}}}}'
    profile.save()
    assert kept(page)["response"] is None


def test_keeping_costs_two_statements(page, provider, make_scope, django_assert_max_num_queries):
    make_scope(patch=FORGETS, slug="forgets", slot="other")
    places = [HERE, {**HERE, "uiSlotSelectorId": "other"}]
    provider.reply("The answer.")
    statements = []
    for place in (*places, *places):
        with django_assert_max_num_queries(100) as captured:
            ask(page, context=place)
        statements.append(len(captured))
    assert statements[2] == statements[3] + 2
