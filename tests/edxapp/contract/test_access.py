"""Who sees what, whichever backend answers."""

from __future__ import annotations

import pytest
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from tests.edxapp.contract.sample import CLOSED_SEQUENCES, COURSE_KEY, OTHER_COURSE, exam, key
from tests.edxapp.exports import ANONYMOUS, AUTHOR, INACTIVE_LEARNER, INACTIVE_STAFF, LEARNER, SITE_STAFF, STRANGER

PEOPLE = [
    pytest.param(LEARNER, True, False, id="a learner"),
    pytest.param(AUTHOR, True, True, id="course staff"),
    pytest.param(SITE_STAFF, True, True, id="site staff"),
    pytest.param(STRANGER, False, False, id="a stranger"),
    pytest.param(ANONYMOUS, False, False, id="nobody"),
    pytest.param(INACTIVE_LEARNER, False, False, id="an inactive learner"),
    pytest.param(INACTIVE_STAFF, False, False, id="inactive staff"),
]


@pytest.mark.parametrize(("user", "sees", "is_staff"), PEOPLE)
def test_people(platform, user, sees, is_staff):
    answers = [
        platform.can_see_course(user, COURSE_KEY),
        platform.can_see_block(user, key("html/html_sunlight")),
        platform.can_see_block(user, key("course/course")),
        bool(platform.course_outline(user, COURSE_KEY)),
    ]
    assert answers == [sees] * 4
    assert platform.is_course_staff(user, COURSE_KEY) is is_staff


CLOSED = [
    *(f"{kind}{name}" for name in CLOSED_SEQUENCES for kind in ("sequential/", "vertical/u_", "html/h_")),
    "vertical/unit_teacher_notes",
    "html/html_teacher_notes",
    "html/h_secret",
]


@pytest.mark.parametrize("place", CLOSED)
@pytest.mark.parametrize("mode", list(RetrievalMode))
def test_closed_places(platform, place, mode):
    assert not platform.can_see_block(LEARNER, key(place))
    with pytest.raises(ProcessorError, match="does not exist or is not open to you"):
        platform.content(LEARNER, key(place), mode)
    assert platform.can_see_block(AUTHOR, key(place))
    assert platform.content(AUTHOR, key(place), mode)


@pytest.mark.parametrize("user", [STRANGER, ANONYMOUS, INACTIVE_STAFF], ids=["stranger", "nobody", "inactive staff"])
@pytest.mark.parametrize("question", ["content", "closed_blocks"])
def test_content_is_for_those_who_take_part(platform, user, question):
    with pytest.raises(ProcessorError, match="does not exist or is not open to you"):
        getattr(platform, question)(user, key("vertical/unit_sunlight"), RetrievalMode.UNIT)


@pytest.mark.parametrize(
    ("place", "mode", "closed"),
    [
        pytest.param("vertical/unit_sunlight", RetrievalMode.UNIT, [], id="an open unit"),
        pytest.param("poll/poll", RetrievalMode.UNIT, ["h_secret"], id="a block in a unit"),
        pytest.param("vertical/unit_sugar", RetrievalMode.SEQUENCE, ["unit_teacher_notes"], id="a unit in a sequence"),
        pytest.param(
            "vertical/u_poll",
            RetrievalMode.UP_TO_CURRENT_UNIT,
            ["unit_teacher_notes", *(f"u_{name}" for name in CLOSED_SEQUENCES), "u_exam", "h_secret"],
            id="all up to a unit",
        ),
    ],
)
def test_what_is_closed_can_be_named(platform, place, mode, closed):
    seen = exam(platform)
    named = [block.block_id for block in platform.closed_blocks(LEARNER, key(place), mode)]
    assert named == [name for name in closed if name not in seen]
    assert not platform.closed_blocks(AUTHOR, key(place), mode)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(key("html/nowhere"), id="no such block"),
        pytest.param(OTHER_COURSE.make_usage_key("html", "html_sunlight"), id="no such course"),
        pytest.param(UsageKey.from_string("lb:OpenedX:plants:problem:one"), id="a library's block"),
    ],
)
def test_unknown_places(any_platform, place):
    for user in (LEARNER, AUTHOR, SITE_STAFF, STRANGER, ANONYMOUS):
        assert not any_platform.can_see_block(user, place)


def test_unknown_courses(any_platform):
    assert not any_platform.can_see_course(SITE_STAFF, OTHER_COURSE)
    assert not any_platform.is_course_staff(AUTHOR, OTHER_COURSE)
    place = OTHER_COURSE.make_usage_key("html", "html_sunlight")
    for user in (LEARNER, SITE_STAFF, STRANGER, ANONYMOUS):
        for ask in (
            lambda: any_platform.course_info(OTHER_COURSE),
            lambda user=user: any_platform.course_outline(user, OTHER_COURSE),
            lambda user=user: any_platform.content(user, place, RetrievalMode.UNIT),
        ):
            with pytest.raises(ProcessorError, match="There is no such course"):
                ask()


def test_no_such_block(any_platform):
    for user in (AUTHOR, SITE_STAFF):
        with pytest.raises(ProcessorError, match="does not exist or is not open to you"):
            any_platform.content(user, key("html/nowhere"), RetrievalMode.UNIT)
