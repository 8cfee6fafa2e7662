"""The built-in tools, over the demo course."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import AnonymousUser

from openedx_ai_extensions.tools import Toolbox
from openedx_ai_extensions.tools.registry import find_tool
from tests.conftest import COURSE_ID
from tests.edxapp.exports import COURSE, write_directory
from tests.tools.conftest import BUILT_IN, key


def titles(entries):
    return [entry["title"] for entry in entries]


def test_they_are_published_with_descriptions(context_for, learner):
    definitions = Toolbox([find_tool(name) for name in BUILT_IN], context_for(learner)).definitions
    assert [definition["name"] for definition in definitions] == list(BUILT_IN)
    assert all(len(definition["description"]) > 40 for definition in definitions)


@pytest.mark.parametrize(
    ("location", "here", "place", "around"),
    [
        pytest.param(
            "html/html_chlorophyll",
            "Why leaves are green",
            {"chapter": "Photosynthesis", "sequence": "Catching the light", "unit": "Why leaves are green"},
            ["Sunlight, water and air", "Why leaves are green", "Check your understanding"],
            id="in a unit",
        ),
        pytest.param(
            "vertical/unit_sugar",
            "From carbon dioxide to sugar",
            {"chapter": "Photosynthesis", "sequence": "Building the sugar", "unit": "From carbon dioxide to sugar"},
            ["From carbon dioxide to sugar"],
            id="at a unit beside one for staff only",
        ),
        pytest.param(
            "sequential/calvin_cycle",
            "Building the sugar",
            {"chapter": "Photosynthesis", "sequence": "Building the sugar"},
            ["From carbon dioxide to sugar"],
            id="at a sequence",
        ),
        pytest.param(
            "chapter/photosynthesis",
            "Photosynthesis",
            {"chapter": "Photosynthesis"},
            ["Catching the light", "Building the sugar"],
            id="at a chapter",
        ),
    ],
)
def test_context(ask, learner, location, here, place, around):
    told = json.loads(ask(learner, "get_context", location).text)
    assert told["course"] == {"id": COURSE_ID, "title": "How Plants Make Food"}
    assert (told["location"]["id"], told["location"]["title"]) == (key(location), here)
    assert {word: told[word]["title"] for word in ("chapter", "sequence", "unit") if word in told} == place
    assert titles(told["around"]) == around


def test_context_names_the_blocks_of_the_unit(ask, learner):
    told = json.loads(ask(learner, "get_context", "vertical/unit_chlorophyll").text)
    assert [(block["type"], block["title"]) for block in told["blocks"]] == [
        ("html", "Why leaves are green"),
        ("video", "The journey of one electron"),
    ]


def test_context_without_a_place(ask, learner, stranger):
    told = json.loads(ask(learner, "get_context", None).text)
    assert (told["location"], titles(told["around"])) == (None, ["Photosynthesis"])
    nowhere = {"course": None, "location": None}
    assert json.loads(ask(learner, "get_context", None, None).text) == nowhere
    assert json.loads(ask(stranger, "get_context").text) == nowhere
    assert json.loads(ask(AnonymousUser(), "get_context").text) == nowhere


def test_context_tells_nothing_of_a_hidden_place(ask, learner, author):
    told = ask(learner, "get_context", "vertical/unit_teacher_notes").text
    assert json.loads(told)["location"] is None
    assert "teacher" not in told
    assert "Notes for teachers" in ask(author, "get_context", "vertical/unit_teacher_notes").text


def test_context_of_a_big_course_is_short(ask, learner, context_for, settings, tmp_path):
    units = {
        f"vertical/v{n}.xml": f'<vertical display_name="{"V" * 300}"><html url_name="h1"/></vertical>'
        for n in range(200)
    }
    urls = "".join(f'<vertical url_name="v{n}"/>' for n in range(200))
    path = write_directory(
        {**COURSE, **units, "sequential/s1.xml": f"<sequential>{urls}</sequential>"}, tmp_path / "big"
    )
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{"path": path, "learners": "*"}]}
    course = "course-v1:Org+C1+r1"
    box = Toolbox([find_tool("get_context")], context_for(learner, key("vertical/v150", course), course))
    told = json.loads(box.call("get_context", "").text)
    assert key("vertical/v150", course) in [entry["id"] for entry in told["around"]]
    assert len(told["around"]) == 40


@pytest.mark.parametrize(
    ("arguments", "units"),
    [
        pytest.param({}, ["# Sunlight, water and air"], id="where the learner is"),
        pytest.param({"location_id": None}, ["# Sunlight, water and air"], id="null is there too"),
        pytest.param({"location_id": ""}, ["# Sunlight, water and air"], id="and so is nothing"),
        pytest.param({"location_id": key("html/html_sugar")}, ["# From carbon dioxide to sugar"], id="another place"),
        pytest.param(
            {"retrieval_mode": "sequence"},
            ["# Sunlight, water and air", "# Why leaves are green", "# Check your understanding"],
            id="a sequence",
        ),
    ],
)
def test_content(ask, learner, arguments, units):
    result = ask(learner, "get_location_content", **arguments)
    assert result.ok
    lines = result.text.splitlines()
    assert [line for line in lines if line.startswith("# ")] == units
    assert "Chlorophyll only" not in result.text


def test_long_content_is_trimmed_not_cut(ask, learner, context_for, settings, tmp_path):
    path = write_directory({**COURSE, "html/h1.html": "<p>Long.</p>" * 9_000}, tmp_path / "course")
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{"path": path, "learners": "*"}]}
    course = "course-v1:Org+C1+r1"
    box = Toolbox([find_tool("get_location_content")], context_for(learner, key("html/h1", course), course))
    result = box.call("get_location_content", "")
    assert len(result.text) <= 20_000
    assert result.text.endswith("[Part of the course text is left out here because it is too long.]")


def test_a_place_without_text_says_so(ask, learner, context_for, settings, tmp_path):
    path = write_directory({**COURSE, "vertical/u1.xml": "<vertical/>"}, tmp_path / "course")
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{"path": path, "learners": "*"}]}
    course = "course-v1:Org+C1+r1"
    box = Toolbox([find_tool("get_location_content")], context_for(learner, key("vertical/u1", course), course))
    assert box.call("get_location_content", "").ok


def test_link(ask, learner):
    expected = f"http://lms.example.com/courses/{COURSE_ID}/jump_to/{key('html/html_sugar')}"
    assert ask(learner, "get_location_link", location_id=key("html/html_sugar")).text == expected


def test_course_info(ask, learner):
    assert ask(learner, "get_course_info").text.startswith("Course: How Plants Make Food")


@pytest.mark.parametrize(("count", "sides"), [(1, 6), (20, 1000), (20, 2), (3.0, 6.0)])
def test_dice(ask, learner, count, sides):
    told = json.loads(ask(learner, "roll_dice", count=count, sides=sides).text)
    assert len(told["rolls"]) == count
    assert all(1 <= roll <= sides for roll in told["rolls"])
    assert told["total"] == sum(told["rolls"])


@pytest.mark.parametrize("arguments", [{"count": 0}, {"count": 21}, {"sides": 1}, {"sides": 1001}, {"count": "2"}])
def test_impossible_dice(ask, learner, arguments):
    assert not ask(learner, "roll_dice", **arguments).ok
