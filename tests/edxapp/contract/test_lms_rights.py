"""What the platform keeps from a person, of the course as of its blocks: none of it is told, by whichever question."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.http import Http404
from edx_django_utils.cache import RequestCache

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.processors import OpenEdXProcessor
from tests.edxapp.contract.sample import COURSE_KEY, key
from tests.edxapp.exports import AUTHOR, LEARNER

UNIT, UP_TO = RetrievalMode.UNIT, RetrievalMode.UP_TO_CURRENT_UNIT
SUNLIGHT = key("html/html_sunlight")
LAST = key("vertical/u_poll")
YESTERDAY, TOMORROW = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)


def told(lms, user, place, mode=UNIT):
    """The ids of all blocks that are read at a place; None when it is closed."""
    RequestCache.clear_all_namespaces()
    try:
        units = lms.content(user, place, mode)
    except ProcessorError:
        assert not lms.can_see_block(user, place)
        return None
    assert lms.can_see_block(user, place)
    return [block_id for unit in units for block_id in _ids(unit)]


def _ids(block):
    yield block.usage_key.block_id
    for child in block.children:
        yield from _ids(child)


@pytest.fixture(params=["redirect", "not found"])
def closed(request, world):
    from lms.djangoapps.courseware.exceptions import CourseAccessRedirect

    return CourseAccessRedirect if request.param == "redirect" else Http404


def test_a_course_that_is_closed_to_one_person(lms, world, closed):
    """Expired audit access, an unmet prerequisite course, a survey that must be filled in first."""
    assert told(lms, LEARNER, SUNLIGHT)
    world.closed_courses["learner"] = closed
    assert told(lms, LEARNER, SUNLIGHT) is None
    assert not lms.can_see_course(LEARNER, COURSE_KEY)
    assert not lms.course_outline(LEARNER, COURSE_KEY)
    with pytest.raises(ProcessorError, match="is not open to you"):
        lms.closed_blocks(LEARNER, SUNLIGHT, UNIT)
    assert told(lms, AUTHOR, SUNLIGHT)


@pytest.mark.parametrize("features", [{"MILESTONES_APP": True}, {}], ids=["the course is looked up", "always asked"])
@pytest.mark.parametrize("place", ["sequential/light_reactions", "chapter/photosynthesis"])
def test_prerequisites(lms, world, settings, features, place):
    settings.FEATURES = features
    assert told(lms, LEARNER, SUNLIGHT)
    RequestCache.clear_all_namespaces()
    world.prerequisites.add(("learner", key(place)))
    assert told(lms, LEARNER, SUNLIGHT) is None
    assert "html_sunlight" not in told(lms, LEARNER, LAST, UP_TO)
    assert place.partition("/")[2] not in str(lms.course_outline(LEARNER, COURSE_KEY))
    assert told(lms, AUTHOR, SUNLIGHT)


@pytest.mark.parametrize("is_newer", [False, True], ids=["taken away", "only flagged"])
@pytest.mark.parametrize("extended", [False, True], ids=["over", "more time of one's own"])
@pytest.mark.parametrize("dates_are_text", [False, True], ids=["dates", "dates as text"])
def test_hidden_after_its_due_date(lms, world, is_newer, extended, dates_are_text):
    world.is_newer, world.dates_are_text = is_newer, dates_are_text
    for name in ("sequential/over", "vertical/u_over", "html/h_over"):
        world.own_dates["learner", key(name)] = TOMORROW if extended else YESTERDAY
    for place in ("sequential/over", "vertical/u_over", "html/h_over"):
        assert (told(lms, LEARNER, key(place)) is not None) is extended
    assert ("u_over" in told(lms, LEARNER, LAST, UP_TO)) is extended
    assert told(lms, AUTHOR, key("html/h_over"))


def test_what_has_to_be_paid_for(lms, world):
    world.published[key("problem/always")].graded = True
    assert told(lms, LEARNER, key("problem/always"))
    world.not_paid.add("learner")
    assert told(lms, LEARNER, key("problem/always")) is None
    problems = told(lms, LEARNER, key("vertical/u_answers"))
    assert "past_due" in problems
    assert "always" not in problems


# ---------------------------------------------------------------------------------- children that depend on the person

HERE = key("vertical/unit_sunlight")


@pytest.fixture(params=["library_content", "itembank", "split_test", "randomize", "conditional"])
def container(request, world):
    """A block in the first unit, with two pages, one of them in a unit of its own."""
    box = world.add(HERE, f"{request.param}/box")
    world.add(box, "html/first", data="<p>First</p>")
    world.add(world.add(box, "vertical/second"), "html/inside", data="<p>Second</p>")
    return box


def give(world, user, container):
    """The first child is this person's own."""
    if container.block_type == "split_test":
        world.arms.add((user.get_username(), key("html/first")))
    else:
        world.states[user.get_username(), container] = {"selected": [["html", "first"]], "choice": 0}


def test_what_nobody_has_given_a_person_yet(lms, world, container):
    if container.block_type == "library_content":
        assert {"first", "inside"} & set(told(lms, LEARNER, HERE)) == {"first"}  # the structure draws
        return
    for place in ("html/first", "html/inside"):
        assert told(lms, LEARNER, key(place)) is None
    for mode, place in ((UNIT, HERE), (UP_TO, LAST)):
        assert not {"first", "inside"} & set(told(lms, LEARNER, place, mode))
    assert "html_sunlight" in told(lms, LEARNER, HERE)


@pytest.mark.parametrize("is_newer", [False, True], ids=["Teak and Ulmo", "newer"])
def test_a_person_s_own_children(lms, world, container, is_newer):
    world.is_newer = is_newer
    give(world, LEARNER, container)
    is_known = container.block_type in {"library_content", "itembank", "split_test"}
    assert [block in told(lms, LEARNER, HERE) for block in ("first", "inside")] == [is_known, False]
    assert (told(lms, LEARNER, key("html/first")) is not None) is is_known
    assert told(lms, LEARNER, key("html/inside")) is None
    assert ("box" in told(lms, LEARNER, HERE)) is (container.block_type != "split_test")


def test_staff_see_both_arms_of_a_split_test_in_the_lms(lms, world):
    box = world.add(HERE, "split_test/box")
    for name in ("one", "other"):
        world.add(world.add(box, f"vertical/arm_{name}"), f"html/{name}", data=f"<p>{name}</p>")
    world.arms.add(("learner", key("vertical/arm_one")))
    assert {"one", "other"} & set(told(lms, LEARNER, HERE)) == {"one"}
    assert {"one", "other"} <= set(told(lms, AUTHOR, HERE))


@pytest.mark.parametrize(
    "selected", [[["html", "first"], ["vertical", "second"]], [["html", "gone"]], []], ids=["more", "gone", "none"]
)
def test_a_bank_that_the_platform_will_draw_from_again(lms, world, selected):
    box = world.add(HERE, "itembank/box")
    world.add(box, "html/first", data="<p>First</p>")
    world.add(box, "vertical/second")
    world.states["learner", box] = {"selected": selected}
    assert not {"first", "second"} & set(told(lms, LEARNER, HERE))


@pytest.mark.django_db
def test_the_reason_is_told_to_staff(lms, container, settings):
    settings.AI_EXTENSIONS_BACKEND = "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform"
    reading = OpenEdXProcessor(location_id=HERE, user=LEARNER).explain_location_content()
    omissions = {entry.usage_key.block_id: str(entry.reason) for entry in reading.omissions}
    assert not {"inside", "second"} & set(omissions)
    assert omissions.get("box") == {"library_content": None, "split_test": "closed"}.get(
        container.block_type, "personal"
    )


# ------------------------------------------------------------------------------------------------------------- answers

RULES = ("", "always", "answered", "attempted", "closed", "finished", "past_due", "correct_or_past_due", "never",
         "after_attempts", "after_all_attempts", "after_all_attempts_or_correct", "attempted_no_past_due")  # fmt: skip
CORRECTNESS = ("always", "past_due", "never", "never_but_include_grade")
HOUR = timedelta(hours=1)


def platform_opens(rule, correctness, closes):
    """To somebody who never tried."""
    is_over = bool(closes and closes < datetime.now(UTC))
    if correctness.startswith("never") or (correctness == "past_due" and closes and not is_over):
        return False
    return rule == "always" or (
        rule in {"attempted", "closed", "finished", "correct_or_past_due", "past_due"} and is_over
    )


@pytest.mark.parametrize("correctness", CORRECTNESS)
@pytest.mark.parametrize("rule", RULES)
def test_answers_are_never_wider_than_the_platform_s(lms, world, rule, correctness):
    problem, sequence = key("problem/past_due"), key("sequential/answers")
    block = world.published[problem]
    block.showanswer, block.show_correctness = rule, correctness
    opened = set()
    for due in (None, YESTERDAY, TOMORROW):
        for extension in (None, YESTERDAY + HOUR, TOMORROW):
            for grace in (None, HOUR, 3 * 24 * HOUR):
                for self_paced in (False, True):
                    block.due, block.graceperiod = due, grace
                    world.own_dates = {("learner", sequence): extension} if extension else {}
                    world.published[key("course/course")].self_paced = self_paced
                    RequestCache.clear_all_namespaces()
                    [unit] = lms.content(LEARNER, problem, UNIT)
                    [seen] = [child.answers_visible for child in unit.children if child.usage_key == problem]
                    closes = max((date for date in (due, extension) if date), default=None)
                    closes = closes and closes + (grace or timedelta())
                    assert not seen or platform_opens(rule, correctness, closes), (due, extension, grace)
                    if seen:
                        opened.add((due, extension, grace, self_paced))
    # Nor so narrow that nothing ever opens.
    assert bool(opened) is (rule in {"always", "past_due", "closed"} and correctness in {"always", "past_due"})
    if rule == "always" == correctness:
        assert len(opened) == 54


def test_more_time_for_a_section_keeps_its_answers_shut(lms, world):
    problem = key("problem/past_due")
    world.own_dates["learner", key("sequential/answers")] = TOMORROW
    for as_text in (False, True):
        world.dates_are_text = as_text
        RequestCache.clear_all_namespaces()
        [unit] = lms.content(LEARNER, problem, UNIT)
        assert [child.usage_key.block_id for child in unit.children if child.answers_visible] == ["always"]
