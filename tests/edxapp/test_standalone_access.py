"""Who sees what in the standalone backend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from opaque_keys.edx.keys import CourseKey, UsageKey

from tests.edxapp.exports import (
    ANONYMOUS,
    AUTHOR,
    COURSE_KEY,
    INACTIVE_LEARNER,
    INACTIVE_STAFF,
    LEARNER,
    SITE_STAFF,
    STRANGER,
    SUPERUSER,
    block_key,
)

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()
GROUPS = "{&quot;50&quot;: [1]}"

PEOPLE = [
    pytest.param(LEARNER, True, False, id="a learner sees the course"),
    pytest.param(AUTHOR, True, True, id="course staff see it and are staff"),
    pytest.param(SITE_STAFF, True, True, id="site staff see it and are staff"),
    pytest.param(SUPERUSER, True, True, id="a superuser sees it and is staff"),
    pytest.param(STRANGER, False, False, id="a stranger does not see it"),
    pytest.param(ANONYMOUS, False, False, id="an anonymous person does not see it"),
    pytest.param(INACTIVE_LEARNER, False, False, id="an inactive learner does not see it"),
    pytest.param(INACTIVE_STAFF, False, False, id="inactive site staff do not see it"),
]


@pytest.mark.parametrize(("user", "sees", "is_staff"), PEOPLE)
def test_people(build, user, sees, is_staff):
    platform = build()
    assert platform.can_see_course(user, COURSE_KEY) is sees
    assert platform.can_see_block(user, block_key("html/h1")) is sees
    assert platform.is_course_staff(user, COURSE_KEY) is is_staff
    assert bool(platform.course_outline(user, COURSE_KEY)) is sees


@pytest.mark.parametrize(
    ("entry", "user", "sees"),
    [
        pytest.param({"learners": "*"}, STRANGER, True, id="a star lets every signed-in person in"),
        pytest.param({"learners": ["*"]}, STRANGER, True, id="a star in a list does too"),
        pytest.param({"learners": "*"}, ANONYMOUS, False, id="a star lets no anonymous person in"),
        pytest.param({"learners": "*"}, INACTIVE_LEARNER, False, id="a star lets no inactive person in"),
        pytest.param({"learners": "learner"}, LEARNER, True, id="one name may stand without a list"),
        pytest.param({"learners": "learner"}, STRANGER, False, id="one name without a list is that name only"),
        pytest.param({"learners": None, "staff": None}, LEARNER, False, id="no lists let nobody in"),
        pytest.param({"staff": "*"}, STRANGER, False, id="a star makes nobody staff"),
    ],
)
def test_lists(build, entry, user, sees):
    assert build(**entry).can_see_block(user, block_key("vertical/u1")) is sees


def test_unknown_keys_are_invisible_even_to_staff(build):
    platform = build()
    assert not platform.can_see_course(SITE_STAFF, CourseKey.from_string("course-v1:Org+C1+other"))
    assert not platform.can_see_block(SITE_STAFF, block_key("html/nowhere"))
    other = UsageKey.from_string("block-v1:Org+C1+other+type@html+block@h1")
    assert not platform.can_see_block(SITE_STAFF, other)
    assert not platform.is_course_staff(AUTHOR, other.course_key)


def test_the_course_block_itself_is_a_block(build):
    assert build().can_see_block(LEARNER, block_key("course/course"))


HTML = '<html filename="h1" {}/>'
UNIT = '<vertical {}><html url_name="h1"/></vertical>'
SEQUENCE = '<sequential {}><vertical url_name="u1"/></sequential>'
CHAPTER = '<chapter {}><sequential url_name="s1"/></chapter>'
ROOT = '<course {}><chapter url_name="ch1"/></course>'

RULES = [
    pytest.param('visible_to_staff_only="true"', False, id="staff only hides"),
    pytest.param('visible_to_staff_only="True"', False, id="staff only in capitals hides"),
    pytest.param('visible_to_staff_only="yes"', False, id="staff only written oddly hides"),
    pytest.param('visible_to_staff_only="false"', True, id="not staff only shows"),
    pytest.param('visible_to_staff_only="null"', True, id="null is not staff only"),
    pytest.param(f'start="{TOMORROW}"', False, id="not released yet hides"),
    pytest.param(f'start="{YESTERDAY}"', True, id="released shows"),
    pytest.param(f'start="&quot;{TOMORROW}&quot;"', False, id="an older export's quoted date hides"),
    pytest.param('start="2013-02-05T05:00"', True, id="a date without a zone is UTC"),
    pytest.param('start="soon"', False, id="a start that is no date hides"),
    pytest.param('start=""', True, id="an empty start shows"),
    pytest.param(f'group_access="{GROUPS}"', False, id="a group's content is hidden"),
    pytest.param('group_access="{&quot;50&quot;: []}"', True, id="an empty group list shows"),
    pytest.param('group_access="{}"', True, id="no group shows"),
    pytest.param('group_access="oops"', False, id="groups that cannot be read hide"),
    pytest.param('hide_from_toc="true"', True, id="hidden from the table of contents is still visible"),
    pytest.param('is_time_limited="true"', False, id="a timed exam hides"),
    pytest.param('is_proctored_enabled="true"', False, id="a proctored exam hides"),
    pytest.param(f'hide_after_due="true" due="{YESTERDAY}"', False, id="hidden after its due date"),
    pytest.param(f'hide_after_due="true" due="{TOMORROW}"', True, id="not hidden before its due date"),
]


@pytest.mark.parametrize(
    ("file", "form"),
    [
        pytest.param("html/h1.xml", HTML, id="on the block"),
        pytest.param("vertical/u1.xml", UNIT, id="on its unit"),
        pytest.param("sequential/s1.xml", SEQUENCE, id="on its sequence"),
        pytest.param("chapter/ch1.xml", CHAPTER, id="on its chapter"),
        pytest.param("course/r1.xml", ROOT, id="on the course"),
    ],
)
@pytest.mark.parametrize(("attributes", "sees"), RULES)
def test_rules_hold_for_the_block_and_below(build, file, form, attributes, sees):
    platform = build({file: form.format(attributes)})
    assert platform.can_see_block(LEARNER, block_key("html/h1")) is sees
    assert platform.can_see_block(AUTHOR, block_key("html/h1"))


def test_a_child_cannot_open_before_its_parent(build):
    platform = build(
        {
            "sequential/s1.xml": SEQUENCE.format(f'start="{TOMORROW}"'),
            "vertical/u1.xml": UNIT.format(f'start="{YESTERDAY}" visible_to_staff_only="false"'),
        }
    )
    assert not platform.can_see_block(LEARNER, block_key("vertical/u1"))


def test_a_policy_file_wins_over_the_attributes(build):
    platform = build(
        {
            "vertical/u1.xml": UNIT.format('visible_to_staff_only="false"'),
            "policies/r1/policy.json": '{"vertical/u1": {"visible_to_staff_only": true}}',
        }
    )
    assert not platform.can_see_block(LEARNER, block_key("html/h1"))
    assert platform.can_see_block(LEARNER, block_key("html/h2"))


@pytest.mark.parametrize("container", ["split_test", "library_content", "itembank", "randomize", "conditional"])
def test_what_differs_for_each_learner_is_for_staff_only(build, container):
    platform = build(
        {"vertical/u1.xml": f'<vertical><{container} url_name="x"><html url_name="h1"/></{container}></vertical>'}
    )
    assert not platform.can_see_block(LEARNER, block_key("html/h1"))
    assert platform.can_see_block(AUTHOR, block_key("html/h1"))


def test_drafts_are_not_read(build):
    platform = build({"drafts/vertical/u9.xml": '<vertical url_name="u9"/>', "vertical/u9.xml": None})
    assert not platform.can_see_block(AUTHOR, block_key("vertical/u9"))


ANSWERS = [
    pytest.param('showanswer="always"', True, id="always opens"),
    pytest.param("", False, id="no rule stays closed"),
    *(
        pytest.param(
            f'showanswer="{word}" due="{YESTERDAY}"', False, id=f"{word} depends on the person and stays closed"
        )
        for word in (
            "never",
            "answered",
            "attempted",
            "finished",
            "correct_or_past_due",
            "after_attempts",
            "attempted_no_past_due",
        )
    ),
    *(
        row
        for word in ("past_due", "closed")
        for row in (
            pytest.param(f'showanswer="{word}" due="{YESTERDAY}"', True, id=f"{word} opens after the due date"),
            pytest.param(f'showanswer="{word}" due="{TOMORROW}"', False, id=f"{word} is closed before the due date"),
            pytest.param(f'showanswer="{word}"', False, id=f"{word} is closed without a due date"),
            pytest.param(f'showanswer="{word}" due="whenever"', False, id=f"{word} is closed when the date is none"),
        )
    ),
    pytest.param(
        f'showanswer="past_due" due="{YESTERDAY}" graceperiod="2 days"', False, id="the grace period keeps them closed"
    ),
    pytest.param(
        f'showanswer="past_due" due="{YESTERDAY}" graceperiod="1 hour"', True, id="and opens them when it is over"
    ),
    pytest.param(
        f'showanswer="past_due" due="{YESTERDAY}" graceperiod="9999999 days"',
        False,
        id="a grace period beyond all time",
    ),
    pytest.param(f'showanswer="past_due" due="{YESTERDAY}" graceperiod="null"', True, id="no grace period at all"),
    pytest.param(
        f'showanswer="past_due" due="{YESTERDAY}" graceperiod="some"', False, id="an unreadable grace period never ends"
    ),
    pytest.param(
        f'showanswer="past_due" due="{YESTERDAY}" self_paced="true"',
        False,
        id="due dates bind nobody in a self-paced course",
    ),
]


@pytest.mark.parametrize("inherited", [pytest.param(False, id="own"), pytest.param(True, id="inherited")])
@pytest.mark.parametrize(("attributes", "visible"), ANSWERS)
def test_answers_open_by_rule(build, attributes, visible, inherited):
    sequence, problem = (attributes, "") if inherited else ("", attributes)
    platform = build(
        {
            "sequential/s1.xml": SEQUENCE.format(sequence),
            "vertical/u1.xml": '<vertical><problem url_name="p1"/></vertical>',
            "problem/p1.xml": f"<problem {problem}><p>Why?</p></problem>",
        }
    )
    for user in (LEARNER, AUTHOR):
        (unit,) = platform.content(user, block_key("problem/p1"), "unit")
        assert unit.children[0].answers_visible is visible
