"""Whatever place a model asks the built-in tools for, the learner's own rights decide; ``tests/rights`` has who."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from tests.conftest import COURSE_ID
from tests.edxapp.exports import COURSE, write_directory
from tests.tools.conftest import key

REFUSED = "This part of the course does not exist or is not open to you."


PLACES = [
    pytest.param(key("vertical/unit_teacher_notes"), id="for staff only"),
    pytest.param(key("html/html_teacher_notes"), id="in a unit for staff only"),
    pytest.param(key("vertical/nowhere"), id="nowhere"),
    pytest.param(key("vertical/u1", "course-v1:Org+C1+r1"), id="another course, which this learner takes"),
    pytest.param(key("vertical/u1", "course-v1:No+Such+course"), id="another course that there is not"),
    pytest.param(key("vertical/unit_sunlight") + "\n", id="a line end"),
    pytest.param(key("vertical/unit_sunlight").replace("+", "%2B"), id="encoded"),
    pytest.param(key("vertical/unit_sunlight").replace("+type", "+branch@draft-branch+type"), id="a draft"),
    pytest.param("i4x://OpenedX/AIX/vertical/unit_sunlight", id="an old key"),
    pytest.param("lb:Org:Lib:html:one", id="of a library"),
    pytest.param("lib-block-v1:Org+Lib+type@html+block@one", id="of an old library"),
    pytest.param(COURSE_ID, id="the course"),
    pytest.param("../../etc/passwd", id="a path"),
    pytest.param("\ud800\x00", id="half a character"),
    pytest.param("block-v1:" + "a" * 50_000, id="a long key"),
    pytest.param("[]", id="rubbish"),
]


@pytest.fixture
def two_courses(settings, tmp_path):
    path = write_directory(COURSE, tmp_path / "course")
    settings.AI_EXTENSIONS_STANDALONE = {
        "COURSES": [
            *settings.AI_EXTENSIONS_STANDALONE["COURSES"],
            {"path": path, "learners": ["learner"]},
        ]
    }


@pytest.mark.usefixtures("two_courses")
@pytest.mark.parametrize("tool", ["get_location_content", "get_location_link"])
@pytest.mark.parametrize("place", PLACES)
def test_every_refusal_reads_the_same(ask, learner, tool, place):
    result = ask(learner, tool, location_id=place)
    assert (result.ok, result.text) == (False, REFUSED)


@pytest.mark.parametrize("tool", ["get_location_content", "get_location_link", "get_course_info"])
def test_who_may_not_see_the_course_is_refused(ask, stranger, tool):
    for user in (stranger, AnonymousUser()):
        result = ask(user, tool)
        assert (result.ok, result.text) == (False, REFUSED)


@pytest.mark.parametrize("tool", ["get_location_content", "get_location_link", "get_course_info"])
def test_nowhere_there_is_nothing(ask, learner, tool):
    assert ask(learner, tool, None, None).text == REFUSED


@pytest.mark.parametrize("tool", ["get_location_content", "get_location_link"])
def test_without_a_course_the_place_tells_it(ask, learner, tool):
    assert ask(learner, tool, course=None).ok
    assert ask(learner, "get_course_info", course=None).ok
