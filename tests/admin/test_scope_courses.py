"""Adding scopes: several courses in one go, and a pattern that is tried first."""

import json

import pytest
from django.contrib.admin.models import LogEntry

from openedx_ai_extensions.models import AIWorkflowScope
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

MODEL = "aiworkflowscope"
TWO, THREE = "course-v1:Org+Two+1", "course-v1:Org+Three+1"


@pytest.fixture
def profile(make_scope):
    scope = make_scope(slot="another-slot")
    scope.delete()
    return scope.profile


def typed(profile, **fields):
    return {
        "profile": profile.pk, "enabled": "on", "service_variant": "lms", "ui_slot_selector_id": SLOT,
        "course_id": COURSE_ID, "location_regex": "", **fields,
    }  # fmt: skip


def courses():
    return [str(course) for course in AIWorkflowScope.objects.order_by("pk").values_list("course_id", flat=True)]


def test_each_of_several_courses_gets_a_scope(admin, profile):
    text = f"{COURSE_ID}\r\n\r\n  {TWO}  \r\n{THREE}\r\n"
    page = admin.post(MODEL, "add", typed(profile, course_id=text, location_regex="unit"))
    assert courses() == [COURSE_ID, TWO, THREE]
    assert set(AIWorkflowScope.objects.values_list("location_regex", "specificity_index", "enabled")) == {
        ("unit", 3, True)
    }
    assert any("2 more scopes were added" in message for message in page.messages)
    assert LogEntry.objects.count() == 3
    assert AIWorkflowScope.get_profile(THREE, UNIT_ID, SLOT).profile == profile


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        pytest.param(f"{COURSE_ID}\njunk\n{TWO}\nmore", ["Line 2: “junk”", "Line 4: “more”"], id="two bad lines"),
        pytest.param(f"{COURSE_ID}\n{TWO}\n\n{COURSE_ID}", ["Line 4: This repeats line 1."], id="one twice"),
        pytest.param("course-v1:O R+T%2B1\nx", ["Line 1:", "Line 2:"], id="mangled"),
        pytest.param("\n".join(["x"] * 501), ["These are more than 500 courses."], id="too many"),
    ],
)
def test_with_a_bad_line_nothing_is_added(admin, profile, text, errors):
    page = admin.post(MODEL, "add", typed(profile, course_id=text))
    shown = page.errors("course_id")
    assert len(shown) == len(errors)
    assert all(error in message for error, message in zip(errors, shown, strict=True))
    assert page.value("course_id").splitlines() == text.splitlines()
    assert courses() == []


def test_another_bad_field_keeps_all_courses(admin, profile):
    page = admin.post(MODEL, "add", typed(profile, course_id=f"{COURSE_ID}\n{TWO}", location_regex="("))
    assert len(page.errors("location_regex")) == 1
    assert page.value("course_id").split() == [COURSE_ID, TWO]
    assert courses() == []


def test_a_scope_that_is_changed_has_one_course(admin, make_scope):
    scope = make_scope()
    page = admin.post(MODEL, "change", typed(scope.profile, course_id=f"{COURSE_ID}\n{TWO}"), pk=scope.pk)
    assert len(page.errors("course_id")) == 1
    assert courses() == [COURSE_ID]


def tried(admin, **query):
    return json.loads(
        admin.client.get(
            "/admin/openedx_ai_extensions/aiworkflowscope/locations/",
            {"format": "json", "course_id": COURSE_ID, **query},
        ).content
    )


def test_a_pattern_is_tried_against_the_real_course(admin, db):
    everything = tried(admin, location_regex="")
    total = len(everything["matching"])
    assert everything["others"] == []
    answer = tried(admin, location_regex=" unit_sunlight$ ")
    (place,) = answer["matching"]
    assert (place["key"], place["category"]) == (UNIT_ID, "Unit")
    assert place["name"]
    assert len(answer["others"]) == total - 1
    assert answer["summary"] == f"The pattern matches 1 of {total} locations."
    kinds = {place["category"] for place in everything["matching"]}
    assert kinds == {"Section", "Subsection", "Unit"}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        pytest.param({"location_regex": "("}, "not a valid regular expression", id="no pattern"),
        pytest.param({"location_regex": r"^(\S|\S\S)+(b|c)\1$"}, "takes too long", id="a hostile pattern"),
        pytest.param({"location_regex": "a" * 1001}, "at most 1000", id="a very long one"),
        pytest.param({"course_id": ""}, "Enter the course", id="no course"),
        pytest.param({"course_id": "junk"}, "not a course id", id="junk"),
        pytest.param({"course_id": TWO}, "no such course", id="an unknown course"),
    ],
)
def test_a_pattern_that_cannot_be_tried(admin, db, query, words):
    answer = tried(admin, **query)
    assert answer["error"]
    assert words in answer["summary"]
    assert answer["matching"] == answer["others"] == []


def test_without_a_script_the_button_opens_the_answer_as_a_page(admin, profile):
    page = admin.get(MODEL, "add")
    (button,) = page.find("//button[@formaction]")
    response = admin.client.post(
        button.get("formaction"), typed(profile, course_id=f"{COURSE_ID}\n{TWO}", location_regex="unit_sunlight")
    )
    assert "The pattern matches 1 of" in response.content.decode()
    assert courses() == []
    # Enter in a field saves: that button comes first.
    assert page.find("//form[@id='aiworkflowscope_form']//*[@type='submit']")[0].get("name") == "_save"
