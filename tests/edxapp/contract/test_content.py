"""What a course says, whichever backend answers."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from tests.edxapp.contract.sample import COURSE_KEY, OPEN_ANSWERS, POLL, PROBLEMS, exam, key
from tests.edxapp.exports import AUTHOR, LEARNER

UNIT, SEQUENCE, UP_TO = RetrievalMode.UNIT, RetrievalMode.SEQUENCE, RetrievalMode.UP_TO_CURRENT_UNIT

LIGHT = ["unit_sunlight", "unit_chlorophyll", "unit_check"]
CLOSED = ["u_unreleased", "u_staff_only", "u_cohort", "u_over", "u_exam"]

SELECTIONS = [
    pytest.param("html/html_chlorophyll", UNIT, LIGHT[1:2], [], id="a block stands for its unit"),
    pytest.param("vertical/unit_chlorophyll", UNIT, LIGHT[1:2], [], id="a unit"),
    pytest.param("sequential/light_reactions", UNIT, LIGHT, [], id="a sequence stands for its units"),
    pytest.param("sequential/calvin_cycle", UNIT, ["unit_sugar"], ["unit_teacher_notes"], id="without what is hidden"),
    pytest.param(
        "chapter/photosynthesis",
        UNIT,
        [*LIGHT, "unit_sugar"],
        ["unit_teacher_notes"],
        id="a chapter stands for its units",
    ),
    pytest.param("html/html_chlorophyll", SEQUENCE, LIGHT, [], id="a block's sequence"),
    pytest.param("sequential/light_reactions", SEQUENCE, LIGHT, [], id="a sequence"),
    pytest.param(
        "chapter/photosynthesis",
        SEQUENCE,
        [*LIGHT, "unit_sugar"],
        ["unit_teacher_notes"],
        id="a chapter is in no sequence",
    ),
    pytest.param("vertical/unit_sunlight", UP_TO, LIGHT[:1], [], id="nothing before the first unit"),
    pytest.param("video/video_chlorophyll", UP_TO, LIGHT[:2], [], id="up to a block's unit"),
    pytest.param("sequential/light_reactions", UP_TO, LIGHT, [], id="up to the end of a sequence"),
    pytest.param(
        "problem/always",
        UP_TO,
        [*LIGHT, "unit_sugar", "u_answers"],
        ["unit_teacher_notes", *CLOSED],
        id="across chapters",
    ),
    pytest.param(
        "course/course",
        UP_TO,
        [*LIGHT, "unit_sugar", "u_answers", "u_poll"],
        ["unit_teacher_notes", *CLOSED],
        id="the whole course",
    ),
    pytest.param(
        "course/course",
        UNIT,
        [*LIGHT, "unit_sugar", "u_answers", "u_poll"],
        ["unit_teacher_notes", *CLOSED],
        id="the course stands for its units",
    ),
]


@pytest.mark.parametrize(("location", "mode", "for_learners", "for_staff_too"), SELECTIONS)
def test_modes(platform, location, mode, for_learners, for_staff_too):
    def units(user):
        return [unit.usage_key.block_id for unit in platform.content(user, key(location), mode)]

    seen = exam(platform) if "u_exam" in for_staff_too else []
    assert [unit for unit in units(LEARNER) if unit not in seen] == for_learners
    assert set(seen) <= set(units(LEARNER))
    assert sorted(units(AUTHOR)) == sorted(for_learners + for_staff_too)


def test_a_block_for_staff_is_absent_inside_a_unit(platform):
    def blocks(user):
        [unit] = platform.content(user, key("vertical/u_poll"), UNIT)
        return [child.usage_key.block_id for child in unit.children]

    assert blocks(LEARNER) == ["poll"]
    assert blocks(AUTHOR) == ["h_secret", "poll"]


def test_what_blocks_say(any_platform):
    def only_block(name):
        [unit] = any_platform.content(AUTHOR, key(name), UNIT)
        return next(child for child in unit.children if child.usage_key == key(name))

    html = only_block("html/html_sunlight")
    assert (html.category, html.display_name) == ("html", "Sunlight, water and air")
    assert "<p" in html.fields["data"]
    problem = only_block("problem/problem_check")
    assert problem.fields["data"].startswith("<problem>")
    assert "multiplechoiceresponse" in problem.fields["data"]
    video = only_block("video/video_chlorophyll")
    assert "electron" in video.fields["transcript"]
    assert "-->" not in video.fields["transcript"]
    poll = only_block("poll/poll")
    assert (poll.category, poll.display_name, poll.fields["question"]) == ("poll", "Vote", POLL)
    [unit] = any_platform.content(AUTHOR, key("vertical/unit_sunlight"), UNIT)
    assert (unit.category, unit.display_name) == ("vertical", "Sunlight, water and air")


def test_a_learners_own_state_is_no_content(any_platform):
    [unit] = any_platform.content(AUTHOR, key("problem/problem_check"), UNIT)
    assert {"attempts", "student_answers", "children"}.isdisjoint(unit.children[0].fields)


@pytest.mark.parametrize("user", [LEARNER, AUTHOR], ids=["learner", "staff"])
def test_show_answer(platform, user):
    [unit] = platform.content(user, key("vertical/u_answers"), UNIT)
    open_answers = {child.usage_key.block_id for child in unit.children if child.answers_visible}
    assert [child.usage_key.block_id for child in unit.children] == list(PROBLEMS)
    assert open_answers == OPEN_ANSWERS


def test_the_outline(platform):
    def ids(nodes):
        return {node.usage_key.block_id: ids(node.children) for node in nodes}

    def units(*names):
        return {name: {} for name in names}

    light = units(*LIGHT)
    assert ids(platform.course_outline(LEARNER, COURSE_KEY)) == {
        "photosynthesis": {"light_reactions": light, "calvin_cycle": units("unit_sugar")},
        "more": {
            **dict.fromkeys(exam(platform, "exam"), units("u_exam")),
            "answers": units("u_answers", "u_poll"),
        },
    }
    outline = platform.course_outline(AUTHOR, COURSE_KEY)
    assert ids(outline) == {
        "photosynthesis": {"light_reactions": light, "calvin_cycle": units("unit_sugar", "unit_teacher_notes")},
        "more": {
            **{name.removeprefix("u_"): units(name) for name in CLOSED},
            "answers": units("u_answers", "u_poll"),
        },
    }
    assert [(node.category, node.display_name) for node in outline] == [
        ("chapter", "Photosynthesis"),
        ("chapter", "More"),
    ]
    assert outline[0].children[0].children[0].display_name == "Sunlight, water and air"


def test_the_language_of_a_course(any_platform):
    assert any_platform.course_language(COURSE_KEY) == "en"
    assert any_platform.course_language(COURSE_KEY.replace(run="nowhere")) == ""


def test_course_info(any_platform):
    info = any_platform.course_info(COURSE_KEY)
    assert (info.course_key, info.title, info.language) == (COURSE_KEY, "How Plants Make Food", "en")
    assert info.short_description
    assert "<" in info.overview
    assert (info.description, info.syllabus, info.end) == ("", "", None)
    assert info.start.isoformat() == "2025-01-01T00:00:00+00:00"


def test_links_lead_learners_there(any_platform, settings):
    settings.LEARNING_MICROFRONTEND_URL = "https://apps.example"
    unit = key("vertical/unit_sunlight")
    assert any_platform.block_link(unit) == f"https://apps.example/course/{COURSE_KEY}/{unit}"
