"""What only the platform knows: cohorts, drafts, dates of one's own, and what it all costs in the LMS."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.http import Http404
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from tests.edxapp.contract.sample import COURSE_KEY, OPEN_ANSWERS, key
from tests.edxapp.exports import ANONYMOUS, AUTHOR, LEARNER, SITE_STAFF, STRANGER

UNIT, SEQUENCE, UP_TO = RetrievalMode.UNIT, RetrievalMode.SEQUENCE, RetrievalMode.UP_TO_CURRENT_UNIT
SUNLIGHT = key("html/html_sunlight")


def ids(units):
    return [unit.usage_key.block_id for unit in units]


@pytest.mark.parametrize(("group", "sees"), [(1, True), (2, False)], ids=["their cohort", "another cohort"])
def test_cohorts(lms, world, group, sees):
    world.groups["learner"] = {group}
    assert lms.can_see_block(LEARNER, key("html/h_cohort")) is sees
    assert ("u_cohort" in ids(lms.content(LEARNER, key("vertical/u_answers"), UP_TO))) is sees


def test_drafts_are_for_studio(lms, world):
    world.draft(SUNLIGHT, filename="html_sunlight", data="<p>Half a thought</p>")
    world.draft(key("html/new"), data="<p>New</p>")
    for user in (LEARNER, AUTHOR):
        [unit] = lms.content(user, SUNLIGHT, UNIT)
        assert "Half a thought" not in unit.children[0].fields["data"]
        assert not lms.can_see_block(user, key("html/new"))
    assert world.branches == []


@pytest.mark.parametrize(
    ("changes", "sees"),
    [
        pytest.param({"start": datetime.now(UTC) + timedelta(days=1)}, False, id="not begun: sent elsewhere"),
        pytest.param({"visible_to_staff_only": True}, False, id="for staff: not found"),
        pytest.param({}, True, id="open"),
    ],
)
def test_a_course_that_does_not_load(lms, world, changes, sees):
    for name, value in changes.items():
        setattr(world.published[key("course/course")], name, value)
    assert lms.can_see_course(LEARNER, COURSE_KEY) is sees
    assert lms.can_see_block(LEARNER, SUNLIGHT) is sees
    assert bool(lms.course_outline(LEARNER, COURSE_KEY)) is sees
    assert lms.can_see_course(AUTHOR, COURSE_KEY)


def test_a_course_that_was_never_published(lms, world):
    new = COURSE_KEY.replace(run="new")
    world.draft(new.make_usage_key("course", "course"))
    assert not lms.can_see_course(SITE_STAFF, new)
    assert not lms.can_see_block(SITE_STAFF, new.make_usage_key("course", "course"))
    with pytest.raises(ProcessorError, match="no such course"):
        lms.course_outline(SITE_STAFF, new)


def test_enrolled_staff_see_as_staff(lms, world):
    world.enrolled.add(("author", COURSE_KEY))
    assert lms.can_see_block(AUTHOR, key("html/html_teacher_notes"))


def test_a_branch_or_version_of_a_key_is_not_a_way_in(lms, studio, settings):
    draft = SUNLIGHT.for_branch("draft-branch")
    version = SUNLIGHT.for_version("519665f6223ebd6980884f2b")
    for platform in (lms, studio):
        for odd in (draft, version):
            assert not platform.can_see_block(SITE_STAFF, odd)
            assert not platform.can_see_course(SITE_STAFF, odd.course_key)
            with pytest.raises(ProcessorError, match="no such course"):
                platform.content(SITE_STAFF, odd, UNIT)


def test_a_section_out_of_the_table_of_contents_is_there_for_those_who_know_it(lms, world):
    world.published[key("sequential/light_reactions")].hide_from_toc = True
    assert lms.can_see_block(LEARNER, SUNLIGHT)
    assert ids(lms.content(LEARNER, SUNLIGHT, UP_TO)) == ["unit_sunlight"]
    assert ids(lms.content(LEARNER, key("vertical/unit_sugar"), UP_TO)) == ["unit_sugar"]
    assert [node.usage_key.block_id for node in lms.course_outline(LEARNER, COURSE_KEY)[0].children] == ["calvin_cycle"]


def test_what_is_in_a_section_out_of_the_table_of_contents_is_read(lms, world):
    world.published[key("sequential/light_reactions")].hide_from_toc = True
    [unit] = lms.content(LEARNER, SUNLIGHT, UNIT)
    assert key("html/html_sunlight") in {child.usage_key for child in unit.children}
    assert len(ids(lms.content(LEARNER, SUNLIGHT, SEQUENCE))) > 1


@pytest.mark.parametrize("place", ["vertical/unit_sunlight", "html/html_sunlight"])
def test_a_group_that_is_gone_opens_to_nobody_else(lms, world, place):
    """The structures do not know it yet, or pass over it for good."""
    world.groups["learner"] = {7}
    world.published[key(place)].group_access = {50: [7]}
    assert lms.can_see_block(LEARNER, key("html/html_sunlight"))
    world.gone_groups.add(7)
    assert not lms.can_see_block(LEARNER, key("html/html_sunlight"))
    with pytest.raises(ProcessorError, match="not open to you"):
        lms.content(LEARNER, key("html/html_sunlight"), UNIT)
    units = lms.content(LEARNER, key("vertical/unit_sugar"), UP_TO)
    assert key("html/html_sunlight") not in {block.usage_key for unit in units for block in (unit, *unit.children)}
    assert key(place) in lms.closed_blocks(LEARNER, key("vertical/unit_sugar"), UP_TO)
    assert lms.can_see_block(AUTHOR, key("html/html_sunlight"))


@pytest.mark.parametrize("days", [-1, 1])
def test_more_time_opens_what_is_hidden_after_its_date(lms, world, days):
    sequence = world.published[key("sequential/light_reactions")]
    sequence.hide_after_due, sequence.due = True, datetime.now(UTC) - timedelta(days=7)
    world.own_dates["learner", sequence.location] = datetime.now(UTC) + timedelta(days=days)
    assert lms.can_see_block(LEARNER, SUNLIGHT) is (days > 0)


def test_an_aside_is_no_block(lms):
    aside = UsageKey.from_string(f"aside-usage-v1:{SUNLIGHT}::tags")
    assert not lms.can_see_block(SITE_STAFF, aside)
    assert lms.ways_to([aside]) == {}
    with pytest.raises(ProcessorError, match="not open to you"):
        lms.content(SITE_STAFF, aside, UNIT)


def test_more_time_keeps_the_answers_closed(lms, world):
    world.own_dates["learner", key("problem/past_due")] = datetime.now(UTC) + timedelta(days=1)
    open_answers = {
        user.username: {
            child.usage_key.block_id
            for child in lms.content(user, key("vertical/u_answers"), UNIT)[0].children
            if child.answers_visible
        }
        for user in (LEARNER, AUTHOR)
    }
    assert open_answers == {"learner": OPEN_ANSWERS - {"past_due"}, "author": OPEN_ANSWERS}


@pytest.mark.parametrize(
    ("grace", "is_open"), [pytest.param(48, False, id="still running"), pytest.param(1, True, id="over")]
)
def test_the_grace_period(lms, world, grace, is_open):
    world.published[key("problem/past_due")].graceperiod = timedelta(hours=grace)
    [unit] = lms.content(LEARNER, key("problem/past_due"), UNIT)
    visible = {child.usage_key.block_id: child.answers_visible for child in unit.children}
    assert visible["past_due"] is is_open


def test_dates_bind_nobody_in_a_self_paced_course(lms, world):
    world.published[key("course/course")].self_paced = True
    [unit] = lms.content(LEARNER, key("vertical/u_answers"), UNIT)
    assert [child.usage_key.block_id for child in unit.children if child.answers_visible] == ["always"]


@pytest.mark.parametrize(
    "gone", ["html/html_sunlight", "vertical/unit_sunlight", "sequential/light_reactions", "chapter/photosynthesis"]
)
def test_what_was_deleted_a_moment_ago_is_left_out(lms, world, gone):
    """Block structures lag behind the modulestore."""
    world.collected = world.tree()
    world.published[world.parent(key(gone))].children.remove(key(gone))
    del world.published[key(gone)]
    units = lms.content(LEARNER, key("vertical/u_poll"), UP_TO)
    assert {"u_answers", "u_poll"} <= set(ids(units))
    assert key(gone) not in {block.usage_key for unit in units for block in (unit, *unit.children)}
    if not gone.startswith("html"):
        for mode in RetrievalMode:
            with pytest.raises(ProcessorError, match="does not exist or is not open to you"):
                lms.content(LEARNER, key(gone), mode)


@pytest.mark.parametrize(
    ("transcripts", "expected"),
    [
        pytest.param({("v1", "en"): ("v1-en.srt", b"1\n00:00:00,000 --> 00:00:01,000\nHello\n")}, "Hello", id="SubRip"),
        pytest.param(
            {("v1", "en"): ("v1-en.sjson", b'{"start": [0], "end": [1], "text": ["Hello"]}')}, "Hello", id="JSON"
        ),
        pytest.param(
            {("v1", "en"): ("v1-en.srt", "1\n00:00:00,000 --> 00:00:01,000\nHello\n")}, "Hello", id="text, not bytes"
        ),
        pytest.param({("v1", "en"): ("v1-en.srt", None)}, "", id="its file is lost"),
        pytest.param({("v1", "de"): ("v1-de.srt", b"")}, "", id="none in a language of the course"),
        pytest.param({}, "", id="none at all"),
    ],
)
def test_transcripts_kept_with_the_video(lms, world, transcripts, expected):
    video = world.published[key("video/video_chlorophyll")]
    video.edx_video_id, video.transcripts, world.val = " v1 ", {}, transcripts
    [unit] = lms.content(LEARNER, video.location, UNIT)
    assert unit.children[1].fields["transcript"] == expected


def test_a_transcript_is_fetched_when_it_is_read_and_once(lms, world):
    [unit] = lms.content(LEARNER, key("video/video_chlorophyll"), UNIT)
    assert world.calls["get_transcript"] == 0
    fields = unit.children[1].fields
    assert fields["transcript"] == fields["transcript"] == dict(fields)["transcript"]
    assert len(fields) == len(list(fields))
    assert world.calls["get_transcript"] == 1


READS = ("get_course_blocks", "get_item", "definitions", "has_item", "get_parent_location", "unforeseen")

COSTS = [
    pytest.param(lambda lms: lms.can_see_course(LEARNER, COURSE_KEY), [0, 0, 0, 0, 0, 0], id="may see a course"),
    pytest.param(lambda lms: lms.can_see_block(LEARNER, SUNLIGHT), [1, 1, 1, 0, 0, 0], id="may see a block"),
    pytest.param(lambda lms: lms.can_see_block(STRANGER, SUNLIGHT), [0, 0, 0, 0, 0, 0], id="a stranger may not"),
    pytest.param(lambda lms: lms.can_see_block(ANONYMOUS, SUNLIGHT), [0, 0, 0, 0, 0, 0], id="nobody may not"),
    pytest.param(lambda lms: lms.course_outline(LEARNER, COURSE_KEY), [1, 0, 0, 0, 0, 0], id="the outline"),
    pytest.param(lambda lms: lms.content(LEARNER, SUNLIGHT, UNIT), [1, 1, 1, 0, 0, 0], id="a unit"),
    pytest.param(lambda lms: lms.content(LEARNER, SUNLIGHT, SEQUENCE), [1, 1, 1, 0, 0, 0], id="a sequence"),
    pytest.param(
        lambda lms: lms.content(LEARNER, key("vertical/unit_sugar"), UP_TO), [1, 1, 1, 0, 0, 0], id="up to a unit"
    ),
    pytest.param(
        lambda lms: lms.content(LEARNER, key("problem/always"), UP_TO), [1, 1, 1, 0, 0, 0], id="across chapters"
    ),
]


@pytest.mark.parametrize(("ask", "cost"), COSTS)
def test_costs(lms, world, ask, cost):
    ask(lms)
    assert [world.calls[name] for name in READS] == cost


def test_a_request_asks_the_platform_once(lms, world):
    for _question in range(2):
        assert lms.can_see_course(LEARNER, COURSE_KEY)
        assert lms.can_see_block(LEARNER, SUNLIGHT)
        assert lms.course_outline(LEARNER, COURSE_KEY)
        assert lms.content(LEARNER, SUNLIGHT, UNIT)
    assert [world.calls[name] for name in ("get_course_with_access", "get_course_blocks")] == [1, 1]
    assert world.calls["get_attempt_status_summary"] == 0, "a query for each exam of the course"


def test_what_was_known_of_one_is_not_said_of_another(lms, world):
    assert lms.can_see_block(AUTHOR, key("html/html_teacher_notes"))
    assert not lms.can_see_block(LEARNER, key("html/html_teacher_notes"))
    assert not lms.can_see_block(STRANGER, SUNLIGHT)


def test_access_that_ends_while_a_stream_runs(lms, world, monkeypatch):
    """No middleware ends what a stream or a worker knows."""
    assert lms.can_see_block(LEARNER, SUNLIGHT)
    world.closed_courses["learner"] = Http404
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert not lms.can_see_block(LEARNER, SUNLIGHT)
