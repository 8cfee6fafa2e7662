"""No rule of a course is left by leaving the course out of a request."""

from __future__ import annotations

import csv
import io

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions.exceptions import WorkflowNotFound
from openedx_ai_extensions.models import AILimit, AINotice, AIPause, AIWorkflowRun, AIWorkflowScope
from openedx_ai_extensions.runtime.worker import perform
from tests.api.conftest import Api, error_of, text_of
from tests.conftest import COURSE_ID, SLOT, UNIT_ID
from tests.events.conftest import consuming, outcome, request_for
from tests.workflows.async_runs.conftest import use_broker

__all__ = ["consuming", "outcome", "use_broker"]

NOWHERE = {"uiSlotSelectorId": SLOT}
IN_COURSE = {"courseId": COURSE_ID, **NOWHERE}
CHAT = {
    "base_filepath": "base/chat.json5",
    "patch": {"processor_config": {"OpenEdXProcessor": {"function": "no_context"}}},
}
NOT_FOUND = (404, "workflow_not_found")
JSON = {"Accept": "application/json"}
OTHER_UNIT = "block-v1:Other+X+1+type@vertical+block@unit_sunlight"


@pytest.fixture
def everywhere(make_scope, provider):
    """A chat for every course."""
    return make_scope(**CHAT, slug="chat", course_id=None)


@pytest.fixture
def outside(everywhere):
    """The same, and for outside of courses."""
    everywhere.outside_courses = True
    everywhere.save()
    return everywhere


# How to leave the course out.
WAYS = {
    "nothing": {},
    "null": {"courseId": None},
    "empty": {"courseId": ""},
    "the other spelling": {"course_id": ""},
    "an empty location": {"locationId": "", "courseId": ""},
}


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("person", ["learner", "stranger", "author", "admin_user"])
def test_what_serves_every_course_serves_nobody_outside(person, way, request, provider):
    api, context = Api(request.getfixturevalue(person)), {**NOWHERE, **way}
    assert api.profile(context).json()["status"] == "no_config"
    for headers in (JSON, {}, {"Accept": "text/event-stream"}):
        assert error_of(api.run("Why?", context=context, headers=headers)) == NOT_FOUND
    consent = api.client.get(api.url("aiext_consent", context))
    assert error_of(consent) == NOT_FOUND
    assert provider.requests == []
    assert not AIWorkflowRun.objects.exists()


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize(
    "action",
    ["run", "run_async", "get_run_status", "cancel_run", "clear_session", "get_current_session_response",
     "lazy_load_chat_history"],
)  # fmt: skip
def test_no_action_does(action, learner):
    assert error_of(Api(learner).run(action=action, context=NOWHERE)) == NOT_FOUND


def test_a_limit_of_its_profile_is_not_told_there(everywhere, learner):
    AILimit.objects.create(per="profile", period="day", requests=5, profile=everywhere.profile)
    api = Api(learner)
    assert len(api.client.get(api.url("aiext_limits", IN_COURSE)).json()["limits"]) == 1
    assert api.client.get(api.url("aiext_limits", NOWHERE)).json()["limits"] == []


@pytest.mark.usefixtures("consuming")
def test_no_event_does(everywhere, learner, outcome):
    nowhere = {"course_id": "", "location_id": "", "ui_slot_selector_id": SLOT}
    assert outcome(request_for(learner, **nowhere)) == "workflow_not_found"
    everywhere.outside_courses = True
    everywhere.save()
    assert outcome(request_for(learner, **nowhere)) == "completed"


def test_nor_does_calling_it_from_python(everywhere, learner):
    assert AIWorkflowScope.get_profile(ui_slot_selector_id=SLOT) is None
    for context in ({}, {"course_id": None}, {"course_id": "", "location_id": ""}):
        with pytest.raises(WorkflowNotFound):
            everywhere.execute("Why?", "run", learner, context)


def rules_of_the_course(name):
    return {
        "paused": lambda: AIPause.objects.create(course_id=COURSE_ID),
        "limited to nothing": lambda: AILimit.objects.create(
            per="course", period="day", requests=0, course_id=COURSE_ID
        ),
        "needs consent": lambda: AINotice.objects.create(text="Your words go to a model."),
    }[name]()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("paused", (403, "permission_denied")),
        ("limited to nothing", (429, "quota_exceeded")),
        ("needs consent", (403, "consent_required")),
    ],
)
def test_a_rule_of_the_course_holds_however_the_place_is_told(rule, expected, everywhere, learner, provider):
    rules_of_the_course(rule)
    api = Api(learner)
    for context in (IN_COURSE, {**IN_COURSE, "locationId": UNIT_ID}, {**NOWHERE, "locationId": UNIT_ID}):
        assert error_of(api.run("Why?", context=context, headers=JSON)) == expected
    assert error_of(api.run("Why?", context=NOWHERE, headers=JSON)) == NOT_FOUND
    assert provider.requests == []


def test_a_scope_of_one_course_takes_it_along(make_scope, learner, provider):
    """A caller in Python that leaves the course out meets the rules of the scope's own."""
    scope = make_scope()
    AIPause.objects.create(course_id=COURSE_ID)
    with pytest.raises(Exception, match="not available here"):
        scope.execute("Why?", "run", learner, {"ui_slot_selector_id": SLOT})
    assert provider.requests == []


def test_a_location_brings_its_course_along(everywhere, learner, stranger):
    only_location = {**NOWHERE, "locationId": UNIT_ID}
    assert Api(learner).profile(only_location).json()["course_id"] == COURSE_ID
    assert Api(stranger).profile(only_location).json()["status"] == "no_config"
    assert AIWorkflowScope.get_profile(None, UNIT_ID, SLOT).pk == everywhere.pk
    elsewhere = {**IN_COURSE, "locationId": OTHER_UNIT}
    assert error_of(Api(learner).run("Why?", context=elsewhere)) == (400, "validation_error")


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("person", ["learner", "stranger"])
def test_a_scope_that_says_so_answers_outside(person, request, provider):
    provider.reply("Green.")
    api = Api(request.getfixturevalue(person))
    answer = api.profile(NOWHERE).json()
    assert (answer["course_id"], set(answer["ui_components"])) == (None, {"request", "response"})
    assert api.run("Why?", context=NOWHERE, headers=JSON).json()["response"] == "Green."
    assert text_of(api.run("And?", context=NOWHERE, headers={"Accept": "text/event-stream"}))


def test_it_answers_though_a_newer_one_serves_courses(outside, make_scope, learner):
    newer = make_scope(**CHAT, slug="newer", course_id=None)
    assert AIWorkflowScope.get_profile(None, None, SLOT).pk == outside.pk
    assert AIWorkflowScope.get_profile(COURSE_ID, None, SLOT).pk == newer.pk
    assert Api(learner).run("Why?", context=NOWHERE, headers=JSON).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_work_in_the_background_asks_again(outside, learner, use_broker, provider):
    use_broker("memory://")
    api = Api(learner)
    task_id = api.run("Why?", action="run_async", context=NOWHERE).json()["task_id"]
    outside.outside_courses = False
    outside.save()
    perform(task_id)
    outside.outside_courses = True
    outside.save()
    state = api.run(action="get_run_status", context=NOWHERE).json()
    assert (state["status"], state["code"]) == ("failed", "workflow_not_found")
    assert provider.requests == []


@pytest.mark.parametrize("fields", [{"course_id": COURSE_ID}, {"location_regex": "unit"}])
def test_what_is_for_some_cannot_be_for_outside(make_scope, fields):
    with pytest.raises(ValidationError, match="outside of courses"):
        make_scope(outside_courses=True, **{"course_id": None, **fields})


def test_the_admin_sets_it_and_says_what_is_wrong(everywhere, admin_user):
    client = Client()
    client.force_login(admin_user)
    url = reverse("admin:openedx_ai_extensions_aiworkflowscope_change", args=[everywhere.pk])
    form = {"profile": everywhere.profile_id, "enabled": "on", "service_variant": "lms", "outside_courses": "on",
            "ui_slot_selector_id": SLOT}  # fmt: skip
    page = client.post(url, {**form, "course_id": COURSE_ID})
    assert "without a course and a location pattern" in page.content.decode()
    assert client.post(url, form).status_code == 302
    everywhere.refresh_from_db()
    assert everywhere.outside_courses
    changelist = client.get(reverse("admin:openedx_ai_extensions_aiworkflowscope_changelist"))
    assert "Every course, and outside of courses" in changelist.content.decode()


@pytest.mark.parametrize("file_format", ["yaml", "csv"])
def test_files_carry_it(outside, make_scope, tmp_path, file_format):
    make_scope(slug="courses-only", slot="other", course_id=None)
    path = tmp_path / f"scopes.{file_format}"
    call_command("ai_export", "--output", str(path), "--format", file_format)
    AIWorkflowScope.objects.all().delete()
    call_command("ai_import", str(path), stdout=io.StringIO())
    found = AIWorkflowScope.objects.values_list("ui_slot_selector_id", "outside_courses")
    assert set(found) == {(SLOT, True), ("other", False)}
    if file_format == "csv":
        (row, _other) = sorted(csv.DictReader(path.open()), key=lambda row: row["profile"])
        path.write_text(path.read_text().replace("true,true", "perhaps,true"))
        with pytest.raises(Exception, match="outside_courses must be true or false"):
            call_command("ai_import", str(path), stdout=io.StringIO())
        assert row["outside_courses"] == "true"


def said(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_operators_are_told(everywhere):
    told = said("ai_explain", "--slot", SLOT)
    assert "It answers only in courses" in told
    assert "outside of courses" not in said("ai_check")
    AIWorkflowScope.objects.update(outside_courses=True)
    assert "It answers only in courses" not in said("ai_explain", "--slot", SLOT)
    assert f"scope {everywhere.pk} " in said("ai_check")
    assert "answers outside of courses too" in said("ai_check")


def test_a_scope_that_is_left_with_that_alone_is_told(outside, make_scope):
    make_scope(slug="newer", course_id=None)
    assert f"scope {outside.pk} " in said("ai_check")
    assert "It answers only outside of courses" in said("ai_check")
