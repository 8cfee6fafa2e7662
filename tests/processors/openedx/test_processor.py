"""``OpenEdXProcessor`` over real exports."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from django.contrib.auth.models import AnonymousUser, User
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core.hooks import config_problems
from openedx_ai_extensions.exceptions import InvalidRequest, ProcessorError
from openedx_ai_extensions.processors import OpenEdXProcessor
from openedx_ai_extensions.processors.base import function
from tests.processors.openedx.blocks import COURSE_ID, demo_key

pytestmark = pytest.mark.django_db  # pauses are there

LEARNER, AUTHOR, STRANGER = User(username="learner"), User(username="author"), User(username="stranger")
TITLES = {
    "unit_sunlight": "# Sunlight, water and air",
    "unit_chlorophyll": "# Why leaves are green",
    "unit_check": "# Check your understanding",
    "unit_sugar": "# From carbon dioxide to sugar",
    "unit_teacher_notes": "# Notes for teachers",
}
ANSWER = (
    "detailed",
    "Explanation",
    "splitting water sets",
    "Which of the two raw materials",
    "correct",
    "Chlorophyll only",
)


def read(location="vertical/unit_sunlight", user=LEARNER, course_id=COURSE_ID, **config):
    location_id = demo_key(location) if location else None
    processor = OpenEdXProcessor({"OpenEdXProcessor": config}, location_id=location_id, course_id=course_id, user=user)
    return str(processor.process())


def units(text):
    return [line for line in text.splitlines() if line in TITLES.values()]


@pytest.mark.parametrize(
    ("location", "user", "mode", "expected"),
    [
        pytest.param("vertical/unit_chlorophyll", LEARNER, "unit", ["unit_chlorophyll"], id="a unit"),
        pytest.param("video/video_chlorophyll", LEARNER, None, ["unit_chlorophyll"], id="a block's unit by default"),
        pytest.param(
            "html/html_sunlight", LEARNER, "sequence",
            ["unit_sunlight", "unit_chlorophyll", "unit_check"], id="a sequence",
        ),
        pytest.param("sequential/calvin_cycle", LEARNER, "unit", ["unit_sugar"], id="no staff notes for learners"),
        pytest.param("sequential/calvin_cycle", AUTHOR, "unit", ["unit_sugar", "unit_teacher_notes"], id="for staff"),
        pytest.param("chapter/photosynthesis", LEARNER, "unit", list(TITLES)[:4], id="a chapter"),
        pytest.param(
            "problem/problem_check", LEARNER, "up_to_current_unit",
            ["unit_sunlight", "unit_chlorophyll", "unit_check"], id="up to here",
        ),
    ],
)  # fmt: skip
def test_content_of_the_demo_course(location, user, mode, expected):
    assert units(read(location, user, retrieval_mode=mode)) == [TITLES[name] for name in expected]


def test_the_demo_course_reads_well():
    assert "Water (H2O) | The soil, through roots and stem" in read("vertical/unit_sunlight")
    assert "[Image: Cross-section of a leaf: light enters" in read("vertical/unit_sunlight")
    assert r"\rightarrow \mathrm{C_6H_{12}O_6}" in read("vertical/unit_sunlight")
    chlorophyll = read("vertical/unit_chlorophyll")
    assert (
        "Video: The journey of one electron\nTranscript: It is early morning, and the first light of the" in chlorophyll
    )
    assert "-->" not in chlorophyll
    check = read("vertical/unit_check")
    assert "- In the oxygen gas that leaves the leaf\n- In the carbon dioxide" in check


@pytest.mark.parametrize("user", [LEARNER, AUTHOR])
@pytest.mark.parametrize("mode", ["unit", "sequence", "up_to_current_unit"])
def test_the_demo_course_keeps_its_answers(user, mode):
    text = read("vertical/unit_check", user, retrieval_mode=mode)
    assert not [word for word in ANSWER if word in text]


def test_texts_of_keys_will_do():
    config = {"OpenEdXProcessor": {}}
    by_key = OpenEdXProcessor(config, demo_key("html/html_sugar"), CourseKey.from_string(COURSE_ID), LEARNER)
    by_text = OpenEdXProcessor(config, str(demo_key("html/html_sugar")), COURSE_ID, LEARNER)
    assert str(by_text.process()) == str(by_key.process()) != ""


@pytest.mark.parametrize(
    "config", [None, {}, {"OpenEdXProcessor": {}}, {"OpenEdXProcessor": None}, {"LLMProcessor": {}}]
)
def test_without_configuration_it_reads_the_unit(config):
    text = str(OpenEdXProcessor(config, demo_key("vertical/unit_sugar"), COURSE_ID, LEARNER).process())
    assert units(text) == [TITLES["unit_sugar"]]


def test_no_context_needs_nothing():
    assert str(OpenEdXProcessor({"OpenEdXProcessor": {"function": "no_context"}}).process()) == ""


def test_fields_choose_the_kinds_of_blocks():
    text = read("vertical/unit_chlorophyll", fields=["video"])
    assert text.startswith("# Why leaves are green\n\nVideo: The journey")
    assert "Pigment" not in text


def test_course_info():
    text = read(None, function="get_course_info")
    assert text.startswith("Course: How Plants Make Food\n\nIn short: How a leaf turns light")
    assert "Overview:\n## About this course\nWhere does a tree" in text
    assert text.endswith("Language: en\n\nStarts: 2025-01-01")
    assert "Syllabus" not in text


def test_course_info_of_some_facts():
    assert (
        read(None, function="get_course_info", fields=["language", "title"])
        == "Course: How Plants Make Food\n\nLanguage: en"
    )


def test_course_info_takes_the_course_of_the_location():
    text = read("html/html_sugar", course_id=None, function="get_course_info", fields=["title"])
    assert text == "Course: How Plants Make Food"


OUTLINE = """# Photosynthesis

Catching the light
- Sunlight, water and air
- Why leaves are green
- Check your understanding

Building the sugar
- From carbon dioxide to sugar"""


def test_course_outline():
    assert read(None, function="get_course_outline") == OUTLINE
    assert read(None, AUTHOR, function="get_course_outline") == f"{OUTLINE}\n- Notes for teachers"


def test_a_trimmed_outline_keeps_the_sequence_where_one_is():
    limited = {"function": "get_course_outline", "char_limit": 120}
    assert read("vertical/unit_sugar", **limited).startswith("# Photosynthesis\n\nBuilding the sugar")
    assert read("vertical/unit_check", **limited).startswith("# Photosynthesis\n\nCatching the light")


@pytest.mark.parametrize("mode", ["sequence", "up_to_current_unit"])
def test_a_limit_keeps_what_is_nearest_and_says_so(mode):
    text = read("vertical/unit_check", retrieval_mode=mode, char_limit=1000)
    assert len(text) <= 1000
    assert units(text)[-1] == TITLES["unit_check"]
    assert text.endswith("[Part of the course text is left out here because it is too long.]")


def test_at_a_sequence_the_way_up_to_it_is_trimmed_from_the_start():
    text = read("sequential/calvin_cycle", retrieval_mode="up_to_current_unit", char_limit=1500)
    assert units(text) == [TITLES["unit_sugar"]]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        pytest.param({"function": "delete_course"}, "not available here", id="an unknown function"),
        pytest.param({"function": "process"}, "not available here", id="a method that is no function"),
        pytest.param({"function": "__init__"}, "not available here", id="a private method"),
        pytest.param({"function": "config"}, "not available here", id="an attribute"),
        pytest.param({"retrieval_mode": "everything"}, "retrieval_mode must be one of: unit, sequence", id="a mode"),
        pytest.param({"retrieval_mode": ["unit"]}, "retrieval_mode must be one of", id="a mode that is no text"),
        pytest.param({"char_limit": 0}, "char_limit must be", id="no room"),
        pytest.param({"char_limit": "100"}, "char_limit must be", id="a limit that is text"),
        pytest.param({"char_limit": True}, "char_limit must be", id="a limit that is a truth"),
        pytest.param({"fields": "html"}, "fields must be a list", id="fields that are no list"),
        pytest.param({"fields": [1]}, "fields must be a list", id="fields that are no names"),
        pytest.param(
            {"function": "get_course_info", "fields": ["title", "teacher"]},
            "A course has no teacher. It has: title, short_description", id="a fact no course has",
        ),
    ],
)  # fmt: skip
def test_broken_configuration_is_said_in_plain_words(config, words):
    with pytest.raises(ProcessorError) as caught:
        read(**config)
    assert words in str(caught.value)
    assert "{" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        pytest.param(
            {"location": "vertical/nowhere"}, "does not exist or is not open to you", id="an unknown location"
        ),
        pytest.param(
            {"location": "vertical/unit_teacher_notes"}, "does not exist or is not open to you", id="a hidden one"
        ),
        pytest.param({"user": STRANGER}, "does not exist or is not open to you", id="not enrolled"),
        pytest.param({"user": AnonymousUser()}, "does not exist or is not open to you", id="anonymous"),
        pytest.param({"user": None}, "does not exist or is not open to you", id="nobody"),
        pytest.param(
            {"function": "get_course_info", "user": STRANGER}, "not open to you", id="information for strangers"
        ),
        pytest.param({"function": "get_course_info", "user": None}, "not open to you", id="information for nobody"),
        pytest.param(
            {"function": "get_course_info", "course_id": "course-v1:A+B+C"}, "no such course", id="no such course"
        ),
        pytest.param(
            {"function": "get_course_outline", "course_id": "course-v1:A+B+C"}, "no such course", id="nor outline"
        ),
    ],
)
def test_places_that_cannot_be_read(place, words):
    with pytest.raises(ProcessorError, match=words):
        read(**place)


NOWHERE = {"course_id": None, "location": None}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        pytest.param({"function": "get_location_content", "location": None}, "only on a page", id="no page"),
        pytest.param({"function": "get_location_content", **NOWHERE}, "only on a page", id="no page at all"),
        pytest.param({"function": "get_course_info", **NOWHERE}, "only in a course", id="no course"),
        pytest.param({"function": "get_course_outline", **NOWHERE}, "only in a course", id="no course for an outline"),
        pytest.param(
            {"function": "get_course_info", "course_id": "A/B"}, "This is not a course", id="a bad course key"
        ),
        pytest.param({"place": "nowhere"}, "This is not a place in a course", id="a bad location"),
    ],
)
def test_a_place_that_is_missing_is_for_who_asks_to_name(asked, words):
    place = asked.pop("place", None)
    with pytest.raises(InvalidRequest, match=words):
        OpenEdXProcessor({}, place, COURSE_ID, LEARNER).process() if place else read(**asked)


@pytest.mark.parametrize(
    "config", [{}, {"function": ""}, {"retrieval_mode": "sequence"}, {"fields": ["html"]}, {"char_limit": 500}]
)
def test_without_a_function_it_reads_what_there_is(config):
    here = read(**config)
    assert here == read(**{**config, "function": "get_location_content"})
    assert here.startswith("# Sunlight, water and air\n")
    course = read(location=None, **config)
    assert course == read(location=None, function="get_course_info", char_limit=config.get("char_limit"))
    assert course.startswith("Course: ")
    assert read(**NOWHERE, **config) == ""


def test_a_subclass_with_a_default_of_its_own_keeps_it():
    class Outline(OpenEdXProcessor):
        default_function = "get_course_outline"

    outline = str(Outline({}, None, COURSE_ID, LEARNER).process())
    assert outline == read(location=None, function="get_course_outline")


def test_a_stranger_sees_an_empty_outline():
    assert read(None, STRANGER, function="get_course_outline") == ""


class GlossaryProcessor(OpenEdXProcessor):
    """A site's own processor."""

    @function
    def get_glossary(self):
        return "rubisco: an enzyme"

    def no_context(self):
        return "something"

    def not_published(self):
        return "secret"


def test_a_subclass_reads_its_own_key_and_adds_functions():
    config = {"OpenEdXProcessor": {"function": "no_context"}, "GlossaryProcessor": {"function": "get_glossary"}}
    assert str(GlossaryProcessor(config).process()) == "rubisco: an enzyme"
    assert str(OpenEdXProcessor(config).process()) == ""
    assert str(GlossaryProcessor({"GlossaryProcessor": {"function": "no_context"}}).process()) == "something"
    with pytest.raises(ProcessorError):
        GlossaryProcessor({"GlossaryProcessor": {"function": "not_published"}}).process()


def test_functions_are_listed():
    built_in = {"get_location_content", "no_context", "get_course_info", "get_course_outline"}
    assert OpenEdXProcessor.functions() == built_in
    assert GlossaryProcessor.functions() == built_in | {"get_glossary"}


@pytest.mark.parametrize(
    ("config", "path"),
    [
        pytest.param({"function": "get_everything"}, "$.processor_config.OpenEdXProcessor.function", id="a function"),
        pytest.param(
            {"function": "get_course_info", "fields": ["title", "teacher"]},
            "$.processor_config.OpenEdXProcessor.fields[1]", id="a fact",
        ),
        pytest.param({"function": "get_course_info", "fields": ["title"]}, None, id="nothing wrong"),
        pytest.param({"fields": ["html", "acme"]}, None, id="any category of blocks"),
        pytest.param({}, None, id="nothing said"),
    ],
)  # fmt: skip
def test_profiles_are_checked_when_they_are_saved(config, path):
    effective = {
        "orchestrator_class": "DirectLLMResponse",
        "processor_config": {"OpenEdXProcessor": config},
        "actuator_config": {"UIComponents": {}},
    }
    assert [problem.path for problem in config_problems(effective)] == ([path] if path else [])


def test_usage_keys_of_the_demo_course_are_as_documented():
    for name, title in TITLES.items():
        location = UsageKey.from_string(f"block-v1:OpenedX+AIX+demo+type@vertical+block@{name}")
        text = str(OpenEdXProcessor({}, location, user=AUTHOR).process())
        assert text.startswith(f"{title}\n\n")


def test_what_a_unit_is_read_as():
    content = OpenEdXProcessor({}, demo_key("html/html_sugar"), COURSE_ID, LEARNER).process()
    assert isinstance(content, Mapping)
    assert "error" not in content
    assert (content["display_name"], content["retrieval_mode"]) == ("From carbon dioxide to sugar", "unit")
    assert content["unit_id"] == str(demo_key("vertical/unit_sugar"))
    assert [block["type"] for block in content["blocks"]] == ["html"]
    assert f"{content}" == read("html/html_sugar")
    for block in content["blocks"]:
        assert block["text"] in str(content)
    assert json.loads(json.dumps(content)) == content


@pytest.mark.parametrize("mode", ["sequence", "up_to_current_unit"])
def test_what_several_units_are_read_as(mode):
    config = {"OpenEdXProcessor": {"retrieval_mode": mode}}
    content = OpenEdXProcessor(config, demo_key("vertical/unit_chlorophyll"), COURSE_ID, LEARNER).process()
    assert (content["display_name"], content["retrieval_mode"]) == ("Catching the light", mode)
    assert content["sequence_id"] == str(demo_key("sequential/light_reactions"))
    assert {unit["unit_id"] for unit in content["units"]} >= {str(demo_key("vertical/unit_chlorophyll"))}
    assert all(block["text"] in str(content) for unit in content["units"] for block in unit["blocks"])


def test_what_is_trimmed_is_not_listed():
    config = {"OpenEdXProcessor": {"retrieval_mode": "sequence", "char_limit": 400}}
    content = OpenEdXProcessor(config, demo_key("vertical/unit_chlorophyll"), COURSE_ID, LEARNER).process()
    assert sum(len(block["text"]) for unit in content["units"] for block in unit["blocks"]) < 400


@pytest.mark.parametrize(
    ("config", "title"),
    [
        ({"function": "get_course_info"}, "How Plants Make Food"),
        ({"function": "get_course_outline"}, ""),
        ({"function": "no_context"}, ""),
    ],
    ids=str,
)
def test_whatever_is_read_has_a_title(config, title):
    content = OpenEdXProcessor({"OpenEdXProcessor": config}, None, COURSE_ID, LEARNER).process()
    assert title in content["display_name"]
    assert set(content) == {"display_name"}


def test_a_subclass_may_say_it_in_facts():
    class Facts(OpenEdXProcessor):
        def get_terms(self):
            return {"display_name": "Terms", "terms": ["ATP"]}

    content = Facts({"Facts": {"function": "get_terms"}}).process()
    assert (content["terms"], str(content)) == (["ATP"], '{"display_name": "Terms", "terms": ["ATP"]}')
