"""Authors in Studio."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from tests.edxapp.contract.sample import CLOSED_SEQUENCES, COURSE_KEY, key
from tests.edxapp.exports import ANONYMOUS, AUTHOR, INACTIVE_STAFF, LEARNER, SITE_STAFF, STRANGER

UNIT, SEQUENCE, UP_TO = RetrievalMode.UNIT, RetrievalMode.SEQUENCE, RetrievalMode.UP_TO_CURRENT_UNIT
SUNLIGHT = key("html/html_sunlight")


@pytest.mark.parametrize(
    ("user", "sees", "writes"),
    [
        pytest.param(AUTHOR, True, True, id="an author"),
        pytest.param(SITE_STAFF, True, True, id="site staff"),
        pytest.param(STRANGER, True, False, id="who may read in Studio"),
        pytest.param(LEARNER, False, False, id="a learner"),
        pytest.param(ANONYMOUS, False, False, id="nobody"),
        pytest.param(INACTIVE_STAFF, False, False, id="inactive staff"),
    ],
)
def test_people(studio, world, user, sees, writes):
    world.readers.add(("stranger", COURSE_KEY))
    answers = [
        studio.can_see_course(user, COURSE_KEY),
        studio.can_see_block(user, SUNLIGHT),
        studio.can_see_block(user, key("html/h_staff_only")),
        bool(studio.course_outline(user, COURSE_KEY)),
    ]
    assert answers == [sees] * 4
    assert studio.is_course_staff(user, COURSE_KEY) is writes


def test_authors_see_what_is_closed_to_learners(studio):
    outline = studio.course_outline(AUTHOR, COURSE_KEY)
    assert [node.usage_key.block_id for node in outline[1].children] == [*CLOSED_SEQUENCES, "exam", "answers"]
    assert outline[1].children[0].children[0].category == "vertical"
    assert outline[1].children[0].children[0].children == ()


def test_authors_see_drafts(studio, world):
    world.draft(SUNLIGHT, data="<p>Half a thought</p>")
    new = world.draft(key("html/new"), data="<p>New</p>").location
    world.draft(key("vertical/unit_sunlight")).children.append(new)
    [unit] = studio.content(AUTHOR, new, UNIT)
    assert [child.fields["data"] for child in unit.children] == ["<p>Half a thought</p>", "<p>New</p>"]
    assert studio.can_see_block(AUTHOR, new)


def test_nothing_is_closed_to_authors(studio):
    assert not studio.closed_blocks(AUTHOR, key("vertical/u_poll"), UP_TO)


def test_a_block_cut_off_from_its_course(studio, world):
    orphan = world.draft(key("html/orphan"), data="<p>Lost</p>").location
    with pytest.raises(ProcessorError, match="does not exist or is not open to you"):
        studio.content(AUTHOR, orphan, UNIT)


READS = ("get_item", "has_item", "get_parent_location", "unforeseen", "bulk_operations")

COSTS = [
    pytest.param(lambda studio: studio.can_see_block(AUTHOR, SUNLIGHT), [0, 1, 0, 0, 0], id="may see a block"),
    pytest.param(lambda studio: studio.course_outline(AUTHOR, COURSE_KEY), [1, 2, 0, 0, 1], id="the outline"),
    pytest.param(lambda studio: studio.content(AUTHOR, SUNLIGHT, UNIT), [1, 2, 4, 0, 1], id="a unit"),
    pytest.param(lambda studio: studio.content(AUTHOR, SUNLIGHT, SEQUENCE), [1, 2, 4, 0, 1], id="a sequence"),
    pytest.param(
        lambda studio: studio.content(AUTHOR, key("problem/always"), UP_TO),
        [2, 2, 4, 0, 1],
        id="up to a unit: the course, and all that is in it",
    ),
]


@pytest.mark.parametrize(("ask", "cost"), COSTS)
def test_costs(studio, world, ask, cost):
    ask(studio)
    assert [world.calls[name] for name in READS] == cost
