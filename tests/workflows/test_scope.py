"""Where a scope applies: its specificity, its pattern, and what a context can reach."""

import pytest
from django.core.exceptions import ValidationError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

OTHER_COURSE = "course-v1:OpenedX+AIX+other"
PLACES = [
    pytest.param(None, None, 0, id="everywhere"),
    pytest.param(COURSE_ID, None, 1, id="one course"),
    pytest.param(None, "unit", 2, id="a pattern"),
    pytest.param(COURSE_ID, "unit", 3, id="a pattern in one course"),
    pytest.param(None, "", 0, id="an empty pattern"),
    pytest.param(COURSE_ID, "  ", 1, id="a blank pattern in one course"),
]
BAD_PATTERN = "unit(["


@pytest.fixture
def profile(db):
    return AIWorkflowProfile.objects.create(slug="p", base_filepath="examples/mock.json5")


def set_and_save(scope, **values):
    for name, value in values.items():
        setattr(scope, name, value)
    scope.save()


def set_and_save_fields(scope, **values):
    for name, value in values.items():
        setattr(scope, name, value)
    scope.save(update_fields=list(values))


def update(scope, **values):
    AIWorkflowScope.objects.filter(pk=scope.pk).update(**values)


def bulk_update(scope, **values):
    for name, value in values.items():
        setattr(scope, name, value)
    AIWorkflowScope.objects.bulk_update([scope], list(values))


def create_again(scope, **values):
    profile = scope.profile
    scope.delete()
    AIWorkflowScope.objects.create(profile=profile, **values)


def bulk_create(scope, **values):
    profile = scope.profile
    scope.delete()
    AIWorkflowScope.objects.bulk_create([AIWorkflowScope(profile=profile, **values)])


every_write = pytest.mark.parametrize(
    "write", [set_and_save, set_and_save_fields, update, bulk_update, create_again, bulk_create]
)


@every_write
@pytest.mark.parametrize(("course_id", "pattern", "specificity"), PLACES)
@pytest.mark.parametrize("before", [(None, None), (COURSE_ID, "old")], ids=["from everywhere", "from one place"])
def test_specificity_follows_course_and_pattern(profile, write, before, course_id, pattern, specificity):
    scope = AIWorkflowScope.objects.create(profile=profile, course_id=before[0], location_regex=before[1])
    course_key = CourseKey.from_string(course_id) if course_id else None
    write(scope, course_id=course_key, location_regex=pattern)
    saved = AIWorkflowScope.objects.get()
    assert saved.specificity_index == specificity
    assert saved.course_id == course_key
    assert saved.location_regex == ((pattern or "").strip() or None)


@pytest.mark.parametrize("write", [set_and_save_fields, update, bulk_update])
@pytest.mark.parametrize(
    ("change", "specificity"),
    [
        pytest.param({"course_id": None}, 2, id="the course goes"),
        pytest.param({"location_regex": None}, 1, id="the pattern goes"),
        pytest.param({"location_regex": "other"}, 3, id="the pattern changes"),
        pytest.param({"enabled": False}, 3, id="something else changes"),
    ],
)
def test_a_change_of_one_field_counts_with_the_other_kept(profile, write, change, specificity):
    scope = AIWorkflowScope.objects.create(
        profile=profile, course_id=CourseKey.from_string(COURSE_ID), location_regex="unit"
    )
    write(scope, **change)
    assert AIWorkflowScope.objects.get().specificity_index == specificity


@every_write
def test_a_pattern_that_does_not_compile_is_refused(profile, write):
    scope = AIWorkflowScope.objects.create(profile=profile, location_regex="old")
    with pytest.raises(ValidationError) as caught:
        write(scope, location_regex=BAD_PATTERN)
    (message,) = caught.value.message_dict["location_regex"]
    assert message.startswith("This is not a valid regular expression: ")
    assert "(at character " in message
    assert not AIWorkflowScope.objects.exclude(location_regex="old").exists()


@pytest.mark.parametrize(
    ("pattern", "position"),
    [pytest.param("a(", 3, id="open group"), pytest.param("*a", 1, id="nothing to repeat")],
)
def test_the_refusal_says_where(profile, pattern, position):
    with pytest.raises(ValidationError, match=rf"at character {position}\)"):
        AIWorkflowScope.objects.create(profile=profile, location_regex=pattern)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"service_variant": "desktop"}, id="an unknown service"),
        pytest.param({"location_regex": "a" * 1001}, id="a pattern too long"),
        pytest.param({"profile": None}, id="no profile"),
    ],
)
def test_other_faults_are_refused(profile, values):
    with pytest.raises(ValidationError):
        AIWorkflowScope.objects.create(**{"profile": profile, **values})


@pytest.fixture
def world(make_scope):
    """Six profiles: everywhere, in a course, at a pattern, in any slot, in Studio, and switched off."""
    make_scope(slug="everywhere", course_id=None)
    make_scope(slug="course")
    make_scope(slug="pattern", course_id=None, location_regex="unit_sun")
    make_scope(slug="any-slot", slot="")
    make_scope(slug="studio", service_variant="cms")
    make_scope(slug="off", enabled=False)
    make_scope(slug="other-slot", slot="Unit-Summary")


@pytest.mark.parametrize(
    ("context", "slugs"),
    [
        pytest.param({}, ["pattern", "everywhere"], id="no context finds what serves every course"),
        pytest.param({"course_id": COURSE_ID}, ["pattern", "other-slot", "studio", "any-slot", "course", "everywhere"],
                     id="a course finds all slots and services"),
        pytest.param({"course_id": OTHER_COURSE}, ["pattern", "everywhere"], id="another course"),
        pytest.param({"course_id": COURSE_ID.replace("demo", "DEMO")}, ["pattern", "everywhere"],
                     id="a course in other letters"),
        pytest.param({"course_id": "not a course"}, [], id="not a course key"),
        pytest.param({"course_id": COURSE_ID, "service_variant": "lms"},
                     ["pattern", "other-slot", "any-slot", "course", "everywhere"], id="one service"),
        pytest.param({"course_id": COURSE_ID, "service_variant": "cms"}, ["studio"], id="the other service"),
        pytest.param({"course_id": COURSE_ID, "service_variant": "lms", "ui_slot_selector_id": SLOT},
                     ["pattern", "any-slot", "course", "everywhere"], id="a slot, and scopes without one"),
        pytest.param({"course_id": COURSE_ID, "service_variant": "lms", "ui_slot_selector_id": "elsewhere"},
                     ["any-slot"], id="an unknown slot"),
        pytest.param({"location_id": UNIT_ID}, ["pattern", "everywhere"], id="a location that matches"),
        pytest.param({"location_id": "block-v1:x+y+z+type@html+block@h"}, ["everywhere"],
                     id="a location that does not match"),
    ],
)  # fmt: skip
def test_what_a_context_reaches(world, django_assert_num_queries, context, slugs):
    with django_assert_num_queries(0 if context.get("course_id") == "not a course" else 1):
        profiles = AIWorkflowScope.list_profiles_for_context(**context)
        assert [profile.slug for profile in profiles] == slugs
        assert all(scope.profile is profile for profile in profiles for scope in profile.matched_scopes)


def test_a_profile_is_listed_once_with_all_its_scopes(make_scope):
    first = make_scope(course_id=None)
    second = AIWorkflowScope.objects.create(profile=first.profile, course_id=CourseKey.from_string(COURSE_ID))
    third = AIWorkflowScope.objects.create(profile=first.profile, location_regex="unit")
    (profile,) = AIWorkflowScope.list_profiles_for_context(course_id=COURSE_ID)
    assert [scope.pk for scope in profile.matched_scopes] == [third.pk, second.pk, first.pk]
