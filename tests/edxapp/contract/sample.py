"""The demo course with a chapter of everything that is not open to all, for both backends."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opaque_keys.edx.keys import CourseKey, UsageKey
from opaque_keys.edx.locator import LibraryLocatorV2

from openedx_ai_extensions.core.conf import PACKAGE_DIR
from openedx_ai_extensions.edxapp.interface import Platform
from openedx_ai_extensions.edxapp.standalone import StandalonePlatform

COURSE_KEY = CourseKey.from_string("course-v1:OpenedX+AIX+demo")
OTHER_COURSE = CourseKey.from_string("course-v1:OpenedX+AIX+other")
LIBRARY = LibraryLocatorV2.from_string("lib:OpenedX:plants")
NO_LIBRARY = LibraryLocatorV2.from_string("lib:OpenedX:nowhere")

_TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
_YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()

# Sequences by what is written on them; each has one unit with one html block.
_SEQUENCES = {
    "unreleased": f'start="{_TOMORROW}"',
    "staff_only": 'visible_to_staff_only="true"',
    "cohort": 'group_access="{&quot;50&quot;: [1]}"',
    "over": f'hide_after_due="true" due="{_YESTERDAY}"',
    "exam": 'is_time_limited="true"',
}
# The platform's structures hold exams, and the site's rules close them; an export knows of no attempts.
CLOSED_SEQUENCES = tuple(name for name in _SEQUENCES if name != "exam")
PROBLEMS = {
    "always": 'showanswer="always"',
    "kept_shut": 'showanswer="always" show_correctness="never"',
    "kept_shut_but_graded": 'showanswer="always" show_correctness="never_but_include_grade"',
    "shut_until_due": f'showanswer="always" show_correctness="past_due" due="{_TOMORROW}"',
    "due_and_kept_shut": f'showanswer="past_due" show_correctness="never" due="{_YESTERDAY}"',
    "never": 'showanswer="never"',
    "attempted": 'showanswer="attempted"',
    "answered": f'showanswer="answered" due="{_YESTERDAY}"',
    "finished": f'showanswer="finished" due="{_YESTERDAY}"',
    "correct_or_past_due": f'showanswer="correct_or_past_due" due="{_YESTERDAY}"',
    "after_attempts": f'showanswer="after_attempts" due="{_YESTERDAY}"',
    "past_due": f'showanswer="past_due" due="{_YESTERDAY}"',
    "closed": f'showanswer="closed" due="{_YESTERDAY}"',
    "shut_until_now": f'showanswer="always" show_correctness="past_due" due="{_YESTERDAY}"',
    "not_due": f'showanswer="past_due" due="{_TOMORROW}"',
    "not_closed": f'showanswer="closed" due="{_TOMORROW}"',
    "no_due": 'showanswer="past_due"',
    "inherited": "",
}
OPEN_ANSWERS = {"always", "past_due", "closed", "shut_until_now"}
POLL = "Which colour should the plant have?"


def exam(platform: Platform, name: str = "u_exam") -> list[str]:
    """The name, where learners see an exam."""
    return [] if isinstance(platform, StandalonePlatform) else [name]


def key(name: str) -> UsageKey:
    """``vertical/u1`` as a usage key of the course."""
    category, _, block_id = name.partition("/")
    return COURSE_KEY.make_usage_key(category, block_id)


def write_sample(folder: Path) -> Path:
    shutil.copytree(PACKAGE_DIR / "demo" / "course", folder)
    files = {
        "course/demo.xml": '<course showanswer="attempted"><chapter url_name="photosynthesis"/>'
        '<chapter url_name="more"/></course>',
        "chapter/more.xml": '<chapter display_name="More">'
        + "".join(f'<sequential url_name="{name}"/>' for name in _SEQUENCES)
        + '<sequential url_name="answers"/></chapter>',
        "sequential/answers.xml": '<sequential display_name="Answers"><vertical url_name="u_answers"/>'
        '<vertical url_name="u_poll"/></sequential>',
        "vertical/u_answers.xml": "<vertical>"
        + "".join(f'<problem url_name="{name}"/>' for name in PROBLEMS)
        + "</vertical>",
        "vertical/u_poll.xml": '<vertical><html url_name="h_secret"/><poll url_name="poll"/></vertical>',
        "html/h_secret.xml": '<html filename="closed" visible_to_staff_only="true"/>',
        "poll/poll.xml": f'<poll question="{POLL}" display_name="Vote"/>',
        "html/closed.html": "<p>Closed</p>",
    }
    for name, attributes in _SEQUENCES.items():
        files[f"sequential/{name}.xml"] = f'<sequential {attributes}><vertical url_name="u_{name}"/></sequential>'
        files[f"vertical/u_{name}.xml"] = f'<vertical><html url_name="h_{name}"/></vertical>'
        files[f"html/h_{name}.xml"] = '<html filename="closed"/>'
    for name, attributes in PROBLEMS.items():
        files[f"problem/{name}.xml"] = f"<problem {attributes}><p>Why, {name}?</p></problem>"
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return folder
