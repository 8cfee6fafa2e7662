"""GET profile/: which UI a slot gets, and nothing more."""

import pytest
from django.db.models import QuerySet

from openedx_ai_extensions.models import AIWorkflowProfile
from tests.api.conftest import HERE, Api
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

STAFF_UNIT = "block-v1:OpenedX+AIX+demo+type@vertical+block@unit_teacher_notes"


def test_the_components_of_the_winning_profile(as_learner, make_scope):
    make_scope(patch={"actuator_config": {"UIComponents": {"request": {"config": {"buttonText": "Go"}}}}})
    body = as_learner.profile().json()
    assert set(body) == {"course_id", "ui_components", "timestamp"}
    assert body["ui_components"]["request"]["config"]["buttonText"] == "Go"
    assert body["timestamp"].endswith("+00:00")


def test_nothing_else_of_the_configuration_leaks(as_learner, make_scope):
    make_scope(patch={"processor_config": {"LLMProcessor": {"prompt": "the secret prompt"}}})
    text = as_learner.profile().content.decode()
    assert "secret prompt" not in text
    assert "processor" not in text


@pytest.mark.parametrize(
    "context",
    [
        pytest.param({**HERE, "uiSlotSelectorId": "another"}, id="another slot"),
        pytest.param({"courseId": COURSE_ID}, id="no slot"),
        pytest.param({**HERE, "locationId": STAFF_UNIT}, id="a unit this learner may not see"),
        pytest.param({**HERE, "locationId": UNIT_ID.replace("sunlight", "nowhere")}, id="an unknown unit"),
        pytest.param({"courseId": "course-v1:No+Such+Course", "uiSlotSelectorId": SLOT}, id="an unknown course"),
        pytest.param({}, id="empty"),
    ],
)
def test_no_config(as_learner, make_scope, context):
    make_scope(course_id=None)
    body = as_learner.profile(context).json()
    assert set(body) == {"status", "timestamp"}
    assert body["status"] == "no_config"


@pytest.mark.parametrize(
    ("person", "seen"), [("learner", True), ("author", True), ("admin", True), ("stranger", False)]
)
def test_who_sees_it(people, make_scope, person, seen):
    make_scope()
    assert ("ui_components" in Api(people[person]).profile().json()) is seen


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"base_filepath": "base/gone.json5"}, id="the template is gone"),
        pytest.param({"content_patch": "{processor_config: null}"}, id="the patch no longer fits"),
    ],
)
def test_a_profile_that_broke_later_is_no_config(as_learner, make_scope, change):
    make_scope()
    AIWorkflowProfile.objects.update(**change)
    assert as_learner.profile().json()["status"] == "no_config"
    assert as_learner.run().status_code == 404


def test_a_disabled_scope_and_another_service_do_not_serve(as_learner, make_scope):
    make_scope(enabled=False)
    make_scope(slug="studio", service_variant="cms")
    assert as_learner.profile().json()["status"] == "no_config"


@pytest.mark.parametrize(
    ("person", "seen"), [("learner", False), ("author", True), ("admin", True), ("stranger", False)]
)
@pytest.mark.parametrize("variant", ["lms", "cms"])
def test_who_sees_what_writes_questions(people, make_scope, settings, person, seen, variant):
    settings.SERVICE_VARIANT = variant
    make_scope(base_filepath="base/quiz.json5", service_variant=variant, course_id=None)
    api = Api(people[person])
    assert ("ui_components" in api.profile().json()) is seen
    assert "ui_components" not in api.profile({"uiSlotSelectorId": SLOT}).json(), "outside of courses it is nobody's"


def test_an_orchestrator_that_went_is_no_config(as_learner, make_scope):
    scope = make_scope()
    QuerySet(type(scope.profile)).filter(pk=scope.profile_id).update(content_patch="{orchestrator_class: 'gone.Gone'}")
    assert as_learner.profile().json()["status"] == "no_config"
