"""A course with two exams, and each way in which AI can be kept out of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from openedx_ai_extensions.models import AINotice, AIPause
from tests.api.conftest import Api
from tests.conftest import SLOT
from tests.edxapp.exports import COURSE, write_directory
from tests.events.conftest import consuming, outcome
from tests.workflows.async_runs.conftest import use_broker

__all__ = ["consuming", "outcome", "use_broker"]

COURSE_ID = "course-v1:Org+C1+r1"
FINAL, TIMED = "Text of the final exam", "Text of the timed exam"
FILES = {
    **COURSE,
    "policies/r1/policy.json": "{}",
    "sequential/s2.xml": """
        <sequential display_name="S2" format="Final  exam"><vertical url_name="u3"/></sequential>""",
    "chapter/ch2.xml": """
        <chapter display_name="Two"><sequential url_name="s3"/><sequential url_name="s4"/></chapter>""",
    "sequential/s4.xml": """
        <sequential display_name="S4" is_time_limited="true"><vertical url_name="u5"/></sequential>""",
    "vertical/u5.xml": '<vertical display_name="U5"><html url_name="h5"/></vertical>',
    "html/h5.xml": '<html filename="h5"/>',
    "html/h3.html": f"<p>{FINAL}</p>",
    "html/h5.html": f"<p>{TIMED}</p>",
}


def key(name: str) -> str:
    category, _, block_id = name.partition("/")
    return f"block-v1:Org+C1+r1+type@{category}+block@{block_id}"


def place(name: str = "vertical/u1") -> dict[str, str]:
    return {"courseId": COURSE_ID, "locationId": key(name), "uiSlotSelectorId": SLOT}


HERE = place()


@pytest.fixture(scope="session")
def course_folder(tmp_path_factory):
    return write_directory(FILES, tmp_path_factory.mktemp("rules") / "course")


@pytest.fixture(autouse=True)
def entry(course_folder, settings) -> dict[str, Any]:
    """The course's entry in the settings; ``settings`` makes the backend read it again."""
    entry = {"path": course_folder, "staff": ["author"], "learners": ["learner"]}
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [entry]}
    return entry


@pytest.fixture
def as_learner(learner) -> Api:
    return Api(learner)


@pytest.fixture
def as_author(author) -> Api:
    return Api(author)


@pytest.fixture
def scope(make_scope, provider) -> Any:
    """A chat in the course, and a provider that answers."""
    provider.reply("Green.")
    return make_scope(slug="chat", base_filepath="base/chat.json5", course_id=COURSE_ID)


def hours(before: float, after: float, now: datetime | None = None) -> dict[str, Any]:
    """Times of day around now, in the site's time zone."""
    now = timezone.localtime(now, timezone.get_default_timezone())
    begin, end = now - timedelta(hours=before), now + timedelta(hours=after)
    return {"from_time": begin.time().replace(microsecond=0), "to_time": end.time().replace(microsecond=0)}


# Each rule by what it is called: how it comes to hold where the learner is, its reason, and its name in the ledger.
RULES: dict[str, tuple[str, str]] = {
    "switched off": ("paused", "setting"),
    "the site is paused": ("paused", "pause/"),
    "the course is paused": ("paused", "pause/"),
    "the profile is paused": ("paused", "pause/"),
    "the place is paused": ("paused", "pause/"),
    "quiet hours": ("quiet_hours", "pause/"),
    "an exam is under way": ("exam", "exam"),
    "the place is an exam": ("exam", "exam"),
}


@pytest.fixture
def impose(settings, entry, scope) -> Callable[[str], None]:
    """Have one of ``RULES`` hold for the learner at ``HERE`` from now on."""

    def make(rule: str) -> None:
        match rule:
            case "switched off":
                settings.AI_EXTENSIONS_ENABLED = False
            case "the site is paused":
                AIPause.objects.create()
            case "the course is paused":
                AIPause.objects.create(course_id=COURSE_ID)
            case "the profile is paused":
                AIPause.objects.create(profile=scope.profile)
            case "the place is paused":
                AIPause.objects.create(location_regex="sequential.block@s1$")
            case "quiet hours":
                AIPause.objects.create(**hours(1, 1))
            case "an exam is under way":
                settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{**entry, "in_exam": ["learner"]}]}
            case "the place is an exam":
                settings.AI_EXTENSIONS_EXAM_FORMATS = ["Homework", "final EXAM"]
                files = {"sequential/s1.xml": FILES["sequential/s1.xml"].replace(">", ' format="Final Exam">', 1)}
                folder = write_directory({**FILES, **files}, entry["path"].parent / "exam")
                settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{**entry, "path": folder}]}
            case _:
                raise AssertionError(rule)

    return make


@pytest.fixture
def notice(db) -> AINotice:
    return AINotice.objects.create(text="We send what you say to a company.")
