"""The context parameter, as browsers and proxies mangle it."""

import json
from urllib.parse import quote

import pytest

from tests.api.conftest import HERE, Api, error_of
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

OTHER_UNIT = "block-v1:OpenedX+Other+demo+type@vertical+block@unit_sunlight"


def shown(response):
    assert response.status_code == 200, response.content
    return "ui_components" in response.json()


@pytest.mark.parametrize(
    "context",
    [
        pytest.param({"courseId": COURSE_ID, "locationId": UNIT_ID}, id="camel case"),
        pytest.param({"course_id": COURSE_ID, "location_id": UNIT_ID}, id="snake case"),
        pytest.param({"courseId": quote(COURSE_ID, safe="")}, id="encoded twice"),
        pytest.param({"courseId": COURSE_ID.replace("+", " ")}, id="plus turned to space"),
        pytest.param({"locationId": UNIT_ID}, id="course taken from the location"),
        pytest.param({"locationId": f"unit/{UNIT_ID}"}, id="leading unit piece"),
        pytest.param({"locationId": quote(f"unit/{UNIT_ID}", safe="")}, id="leading unit piece, encoded"),
        pytest.param({"courseId": COURSE_ID, "locationId": None}, id="null is absent"),
        pytest.param({"courseId": COURSE_ID, "locationId": ""}, id="empty is absent"),
        pytest.param({"courseId": COURSE_ID, "extra": [1]}, id="unknown keys are ignored"),
    ],
)
def test_understood(as_learner, make_scope, context):
    make_scope()
    snake = "course_id" in context
    slot = {"ui_slot_selector_id" if snake else "uiSlotSelectorId": SLOT}
    response = as_learner.profile({**context, **slot})
    assert shown(response)
    assert response.json()["course_id"] == COURSE_ID


@pytest.mark.parametrize(
    ("context", "named"),
    [
        pytest.param("{", "context", id="not JSON"),
        pytest.param("[" * 100_000, "context", id="nested beyond reason"),
        pytest.param("[]", "context", id="a list"),
        pytest.param('"x"', "context", id="a text"),
        pytest.param({"courseId": 7}, "courseId", id="course is a number"),
        pytest.param({"courseId": "nonsense"}, "courseId", id="not a course key"),
        pytest.param({"courseId": UNIT_ID}, "courseId", id="a location as course"),
        pytest.param({"locationId": "nonsense"}, "locationId", id="not a location"),
        pytest.param({"locationId": {"a": 1}}, "locationId", id="location is an object"),
        pytest.param({"locationId": "lb:Org:lib:html:1"}, "locationId", id="a library block"),
        pytest.param({"locationId": "i4x://Org/Course/html/x"}, "locationId", id="a location without a run"),
        pytest.param({"courseId": "course-v1:A+\ud800+C"}, "courseId", id="half a character"),
        pytest.param({"courseId": COURSE_ID, "locationId": OTHER_UNIT}, "locationId", id="location of another course"),
        pytest.param({"uiSlotSelectorId": ["a"]}, "uiSlotSelectorId", id="slot is a list"),
        pytest.param({"serviceVariant": "shell"}, "serviceVariant", id="unknown service"),
    ],
)
@pytest.mark.parametrize("endpoint", ["profile", "run", "profiles", "course_text", "prompt", "patch_prompt"])
def test_refused_naming_the_field(people, endpoint, context, named):
    arguments = {"prompt": ("tutor",), "patch_prompt": ("tutor", {"body": "x"})}.get(endpoint, ())
    response = getattr(Api(people["admin"]), endpoint)(*arguments, context=context)
    assert error_of(response) == (400, "validation_error")
    assert named in json.dumps(response.json()["error"]["message"])


@pytest.mark.parametrize("slot", ["\ud83d", "a\0b", "x" * 3_000], ids=["half a character", "NUL", "long"])
def test_a_slot_that_nobody_configured_is_no_config(as_learner, make_scope, slot):
    make_scope()
    assert as_learner.profile({**HERE, "uiSlotSelectorId": slot}).json()["status"] == "no_config"


def test_absent_context_is_empty(as_learner):
    assert as_learner.client.get(as_learner.url("aiext_ui_config").partition("?")[0]).json()["status"] == "no_config"
