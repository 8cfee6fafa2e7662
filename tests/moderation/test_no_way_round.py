"""By whichever door: what must not be said reaches no model, and what must not be shown reaches nobody."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.models import AIWorkflowRun
from tests.moderation.conftest import BAD
from tests.moderation.doors import BAD_ANSWER, DOORS, GOOD_ANSWER, WORDLESS, Door, Site

pytestmark = pytest.mark.usefixtures("listed")


def each(doors: dict[str, Door]) -> pytest.MarkDecorator:
    commits = pytest.mark.django_db(transaction=True)
    return pytest.mark.parametrize(
        "door",
        [pytest.param(door, id=name, marks=[commits] * door.needs_commits) for name, door in doors.items()],
    )


@pytest.fixture
def site(learner, author, provider, make_scope, caplog, settings) -> Site:
    settings.AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER = True
    return Site(learner, author, provider, make_scope, caplog)


def last_run() -> AIWorkflowRun:
    return AIWorkflowRun.objects.latest("id")


@each(DOORS)
def test_what_must_not_be_said_reaches_no_model(site, door):
    seen = door.open(site, f"Why, {BAD}?", GOOD_ANSWER)
    assert not site.provider.requests
    assert BAD not in seen
    assert "permission_denied" in seen
    run = last_run()
    assert (run.outcome, run.refused_by) == ("refused", "moderation/words/before")
    assert (run.error_code, run.calls, run.tokens) == ("permission_denied", 0, 0)


@each(DOORS | WORDLESS)
def test_what_must_not_be_shown_reaches_nobody(site, door, tracked):
    seen = door.open(site, "Why?", BAD_ANSWER)
    assert len(site.provider.requests) == 1
    assert BAD[:3] not in seen
    run = last_run()
    assert (run.outcome, run.refused_by) == ("refused", "moderation/words/after")
    assert run.tokens > 0
    assert run.action not in [event["data"]["action"] for event in tracked]


@each(DOORS | WORDLESS)
def test_what_may_be_said_is(site, door):
    seen = door.open(site, "Why?", GOOD_ANSWER)
    assert last_run().outcome == "completed"
    assert (GOOD_ANSWER in seen) is door.shows_answer


def test_course_text_is_not_what_a_person_says(site, settings):
    settings.AI_EXTENSIONS_MODERATORS = {"words": {"KIND": "words", "WORDS": ["leaf", "leaves", "sunlight"]}}
    settings.AI_EXTENSIONS_MODERATION = {"before": ["words"]}
    DOORS["direct, whole"].open(site, "Why?", "Because.")
    assert "sunlight" in str(site.provider.requests).lower()
    assert last_run().outcome == "completed"


def test_words_are_in_no_log(site, caplog):
    caplog.set_level("DEBUG", logger="openedx_ai_extensions")
    DOORS["chat, streamed"].open(site, f"Why, {BAD}?", GOOD_ANSWER)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("openedx_ai_extensions")]
    assert any("refused_by=moderation/words/before" in line for line in lines)
    assert BAD not in "".join(lines)
