"""Each switch, lock and pause at each door: no way round."""

from __future__ import annotations

import json

import pytest
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.models import AIPause, AIWorkflowAsyncRun, AIWorkflowRun
from openedx_ai_extensions.tasks import run_workflow
from openedx_ai_extensions.tools import Toolbox, ToolContext
from openedx_ai_extensions.tools.registry import find_tool
from tests.api.conftest import error_of, text_of
from tests.events.conftest import request_for
from tests.rules.conftest import COURSE_ID, HERE, RULES, key

ACTIONS = {
    "base/summary.json5": {"run": "Why?", "simple_button_assistance": "Why?"},
    "base/chat.json5": {
        "run": "Why?",
        "run_async": "Why?",
        "get_run_status": None,
        "get_current_session_response": None,
        "lazy_load_chat_history": 0,
        "clear_session": None,
    },
    "base/quiz.json5": {
        "run": {"num_questions": 1},
        "regenerate_question": {"question_index": 0},
        "save": {"library_id": "lib:A:b", "questions": []},
    },
    "base/flashcards.json5": {"run": {"num_cards": 1}, "save": {"cards": []}},
    "examples/mock_stream.json5": {"run": "Why?"},
}
RUNS = {"run", "simple_button_assistance", "run_async", "regenerate_question"}


@pytest.mark.parametrize("rule", RULES)
def test_every_action(as_learner, make_scope, scope, provider, impose, rule):
    impose(rule)
    reason, refused_by = RULES[rule]
    if rule == "the profile is paused":
        bases = {"base/chat.json5": scope.ui_slot_selector_id}
    else:
        bases = {base: base for base in ACTIONS}
    for number, (base, slot) in enumerate(bases.items()):
        if slot == base:
            make_scope(slug=f"p{number}", base_filepath=base, slot=slot, course_id=COURSE_ID)
        for action, user_input in ACTIONS[base].items():
            AIWorkflowRun.objects.all().delete()
            response = as_learner.run(user_input, action=action, context={**HERE, "uiSlotSelectorId": slot})
            assert error_of(response) == (403, "permission_denied"), (base, action)
            error = response.json()["error"]
            assert error["reason"] == reason
            rows = list(AIWorkflowRun.objects.values_list("outcome", "error_code", "action"))
            assert rows == ([("refused", "permission_denied", action)] if action in RUNS else []), action
            for row in AIWorkflowRun.objects.all():
                assert row.refused_by.startswith(refused_by)
                assert row.calls == 0
    assert not provider.requests


@pytest.mark.parametrize("rule", RULES)
def test_a_run_can_always_be_cancelled(as_learner, scope, impose, rule):
    impose(rule)
    assert as_learner.run(action="cancel_run", context=HERE).status_code == 200


@pytest.mark.parametrize("rule", RULES)
def test_an_answer_given_before_is_not_given_again(as_learner, scope, provider, impose, rule):
    provider.reply("Green.")
    assert text_of(as_learner.run("Why?", context=HERE, request_id="1")) == "Green."
    assert text_of(as_learner.run("Why?", context=HERE, request_id="1")) == "Green."
    impose(rule)
    assert error_of(as_learner.run("Why?", context=HERE, request_id="1")) == (403, "permission_denied")


@pytest.mark.parametrize("rule", RULES)
def test_work_in_the_background_that_waits_is_not_begun(as_learner, scope, provider, impose, use_broker, rule):
    use_broker("memory://")
    task_id = as_learner.run("Why?", action="run_async", context=HERE).json()["task_id"]
    impose(rule)
    run_workflow(task_id)
    row = AIWorkflowAsyncRun.objects.get(task_id=task_id)
    assert (row.status, row.code) == ("failed", "permission_denied")
    assert row.error
    assert AIWorkflowRun.objects.get().refused_by.startswith(RULES[rule][1])
    assert not provider.requests


@pytest.mark.parametrize("rule", RULES)
def test_events(learner, scope, provider, impose, consuming, outcome, rule):
    place = {"course_id": COURSE_ID, "location_id": HERE["locationId"]}
    assert outcome(request_for(learner, **place)) == "completed"
    impose(rule)
    assert outcome(request_for(learner, **place)) == "permission_denied"
    assert AIWorkflowRun.objects.latest("pk").refused_by.startswith(RULES[rule][1])
    assert len(provider.requests) == 1


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "the profile is paused"])
@pytest.mark.django_db(transaction=True)
def test_tools(learner, impose, rule):
    impose(rule)
    where = (CourseKey.from_string(COURSE_ID), UsageKey.from_string(key("vertical/u1")))
    names = ("roll_dice", "get_context", "get_location_content", "get_location_link", "get_course_info")
    box = Toolbox([find_tool(name) for name in names], ToolContext(learner, *where, get_platform()))
    for name in names:
        result = box.call(name, "{}")
        assert not result.ok, name
        assert "Text 1" not in result.text


@pytest.mark.parametrize("rule", RULES)
def test_the_widget_is_not_there_but_in_quiet_hours_it_stays_and_says_when(as_learner, scope, impose, rule):
    assert "ui_components" in as_learner.profile(HERE).json()
    impose(rule)
    answer = as_learner.profile(HERE).json()
    if rule != "quiet hours":
        assert answer["status"] == "no_config"
        return
    assert "ui_components" in answer
    assert answer["unavailable"]["reason"] == "quiet_hours"
    assert answer["unavailable"]["resumes_at"]
    assert "back" in answer["unavailable"]["message"]
    response = as_learner.run("Why?", context=HERE)
    assert response.json()["error"]["resumes_at"] == answer["unavailable"]["resumes_at"]
    assert 3000 < int(response["Retry-After"]) <= 3601


@pytest.mark.parametrize("rule", RULES)
def test_whom_it_holds_up(as_author, as_learner, scope, impose, settings, rule):
    """Switches and quiet hours, everybody; exams and marked places, neither course staff nor anybody in Studio."""
    impose(rule)
    spares_staff = rule in {"the place is paused", "the place is an exam", "an exam is under way"}
    response = as_author.run("Why?", context=HERE)
    assert response.status_code == (200 if spares_staff else 403)
    settings.SERVICE_VARIANT = "cms"
    scope.service_variant = "cms"
    scope.save()
    assert as_learner.run("Why?", context=HERE).status_code == (200 if spares_staff else 403)


def test_somewhere_else_nothing_is_held_up(as_learner, scope, make_scope, impose):
    make_scope(slug="other", base_filepath="base/chat.json5", slot="other", course_id=COURSE_ID)
    for rule in ("the place is paused", "the place is an exam"):
        impose(rule)
    elsewhere = {**HERE, "locationId": key("vertical/u4")}
    assert as_learner.run("Why?", context=elsewhere).status_code == 200
    impose("the profile is paused")
    assert as_learner.run("Why?", context=elsewhere).status_code == 403
    assert as_learner.run("Why?", context={**elsewhere, "uiSlotSelectorId": "other"}).status_code == 200


def test_a_staff_member_who_sits_an_exam_waits_too(as_author, scope, settings, entry):
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{**entry, "in_exam": ["author"]}]}
    assert error_of(as_author.run("Why?", context=HERE)) == (403, "permission_denied")


def test_a_learner_in_a_timed_exam_reads_why(as_learner, scope):
    """The platform hides the exam from everybody, so to be there is not allowed anyway."""
    response = as_learner.run("Why?", context={**HERE, "locationId": key("html/h5")})
    assert error_of(response) == (403, "permission_denied")
    assert response.json()["error"]["reason"] == "exam"
    assert as_learner.profile({**HERE, "locationId": key("html/h5")}).json()["status"] == "no_config"


def test_an_action_that_there_is_not_is_no_secret(as_learner, scope, impose):
    impose("switched off")
    assert error_of(as_learner.run(action="explode", context=HERE)) == (400, "unknown_action")


def test_the_admin_s_own_words(as_learner, scope, impose):
    AIPause.objects.create(message="The AI rests until the exams are over.")
    error = json.loads(as_learner.run("Why?", context=HERE).content)["error"]
    assert error["message"] == "The AI rests until the exams are over."
    assert "resumes_at" not in error
