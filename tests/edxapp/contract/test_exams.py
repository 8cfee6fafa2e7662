"""Where exams are, and who sits one, whichever backend answers."""

from __future__ import annotations

import sys

import pytest
from django.contrib.auth import get_user_model

from openedx_ai_extensions.edxapp.interface import Step
from openedx_ai_extensions.edxapp.standalone import StandalonePlatform
from tests.edxapp.contract.sample import COURSE_KEY, key
from tests.edxapp.exports import ANONYMOUS


def test_the_way_to_a_place(any_platform):
    ways = any_platform.ways_to([key("html/h_exam"), key("html/html_sunlight"), key("html/nowhere")])
    assert [step.usage_key.block_id for step in ways[key("html/h_exam")]] == [
        "course",
        "more",
        "exam",
        "u_exam",
        "h_exam",
    ]
    assert [step.is_exam for step in ways[key("html/h_exam")]] == [False, False, True, False, False]
    assert not any(step.is_exam for step in ways[key("html/html_sunlight")])
    assert key("html/nowhere") not in ways
    course = key("course/course")
    assert list(any_platform.ways_to([course])[course]) == [Step(course)]
    assert not any_platform.ways_to([])


@pytest.mark.parametrize("field", ["is_time_limited", "is_proctored_enabled", "is_practice_exam"])
def test_what_makes_an_exam(lms, world, field):
    sequence = key("sequential/light_reactions")
    setattr(world.published[sequence], field, True)
    world.published[sequence].format = "Quiz"
    way = lms.ways_to([key("html/html_sunlight")])[key("html/html_sunlight")]
    assert Step(sequence, True, "Quiz") in way


def test_a_sequence_is_read_once_for_all_its_units(lms, world):
    units = [key(f"vertical/{name}") for name in ("unit_sunlight", "unit_chlorophyll", "unit_check")]
    assert len(lms.ways_to(units)) == 3
    assert world.calls["get_item"] == 1


def test_the_published_course_counts(lms, studio, world, settings):
    sequence = key("sequential/light_reactions")
    world.draft(sequence, is_time_limited="true")
    exams = {}
    for name, platform, variant in (("lms", lms, "lms"), ("studio", studio, "cms")):
        settings.SERVICE_VARIANT = variant
        exams[name] = any(step.is_exam for step in platform.ways_to([sequence])[sequence])
    assert exams == {"lms": False, "studio": True}


def test_who_sits_an_exam(db, lms, world, settings, course_folder, monkeypatch):
    learner, other = (get_user_model().objects.create_user(name) for name in ("learner", "other"))
    world.attempts.add((learner.pk, key("sequential/exam")))
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{"path": course_folder, "in_exam": ["learner"]}]}
    settings.FEATURES = {"ENABLE_SPECIAL_EXAMS": True}
    for platform in (lms, StandalonePlatform()):
        assert [platform.is_in_exam(user) for user in (learner, other, ANONYMOUS)] == [True, False, False]
    monkeypatch.setitem(sys.modules, "edx_proctoring", None)
    assert not lms.is_in_exam(learner)


@pytest.mark.parametrize(
    ("features", "own_setting", "is_in_exam"),
    [
        pytest.param({"ENABLE_SPECIAL_EXAMS": True}, False, True, id="on"),
        pytest.param({"ENABLE_SPECIAL_EXAMS": False}, True, False, id="off"),
        pytest.param({}, True, True, id="a setting of its own"),
        pytest.param({}, None, False, id="never set"),
    ],
)
def test_attempts_count_where_the_platform_has_exams(db, lms, world, settings, features, own_setting, is_in_exam):
    learner = get_user_model().objects.create_user("learner")
    world.attempts.add((learner.pk, key("sequential/exam")))
    settings.FEATURES = features
    if own_setting is not None:
        settings.ENABLE_SPECIAL_EXAMS = own_setting
    assert lms.is_in_exam(learner) == is_in_exam


def test_another_course_s_places(any_platform):
    assert not any_platform.ways_to([COURSE_KEY.replace(run="other").make_usage_key("html", "x")])
