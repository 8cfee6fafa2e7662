"""What a save of a profile changes: the lines that differ, and the scopes, courses and sessions that it affects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.admin.base import change_link
from openedx_ai_extensions.console.diagnosis import scope_title
from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowProfileVersion, AIWorkflowScope, AIWorkflowSession
from openedx_ai_extensions.workflows.template_utils import effective_config, load_template, pretty

MAX_LINES = 1500  # the time of a comparison grows with the square of the lines
RECENT_DAYS = 30
MAX_SHOWN = 50  # scopes, or courses
MAX_COUNTED_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of one of the texts."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """Two lines beside each other; None where a text has no line."""

    left: Line | None
    right: Line | None
    is_same: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows, and the number of those that differ; no rows if a text is too long."""

    rows: tuple[Row, ...]
    differing: int
    is_too_long: bool = False


def compare(left: str, right: str, compared: Callable[[str], str] = str) -> Comparison:
    """The lines of two texts beside each other. ``compared`` returns the part of a line that is compared."""
    old, new = ([Line(number, text) for number, text in enumerate(each.splitlines(), 1)] for each in (left, right))
    if max(len(old), len(new)) > MAX_LINES:
        return Comparison((), 0, is_too_long=True)
    old_texts, new_texts = ([compared(line.text) for line in lines] for lines in (old, new))
    rows: list[Row] = []
    for kind, old_from, old_to, new_from, new_to in SequenceMatcher(
        None, old_texts, new_texts, autojunk=False
    ).get_opcodes():
        pairs = zip_longest(old[old_from:old_to], new[new_from:new_to])
        rows.extend(Row(one, other, kind == "equal") for one, other in pairs)
    return Comparison(tuple(rows), sum(not row.is_same for row in rows))


def compare_configurations(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> Comparison:
    """Two configurations beside each other, without credentials; None counts as empty."""
    old, new = ("" if each is None else pretty(redact(each, configured_secrets())) for each in (left, right))
    # A comma is added when a line is no longer the last one of its object: that is no difference.
    return compare(old, new, lambda line: line.rstrip(","))


def effective(source: AIWorkflowProfile | AIWorkflowProfileVersion) -> dict[str, Any] | None:
    """The template merged with the patch; None if the template cannot be read. An invalid patch counts as empty."""
    return effective_config(source.base_filepath, source.content_patch) if source.base_filepath else None


def template_and_effective(profile: AIWorkflowProfile) -> Comparison | None:
    """The template beside the effective configuration; None if the template cannot be read."""
    config, base = effective(profile), load_template(profile.base_filepath) if profile.base_filepath else None
    return None if config is None or base is None else compare_configurations(base, config)


def impact_of(profile: AIWorkflowProfile) -> dict[str, Any]:
    """The scopes, courses and sessions that a save affects, for the template ``impact.html``."""
    scopes = AIWorkflowScope.objects.filter(profile=profile).order_by("-specificity_index", "pk")
    enabled = scopes.filter(enabled=True).order_by("course_id").values_list("course_id", flat=True).distinct()
    sessions = recent_sessions(profile)
    return {
        "scopes": [change_link(scope, scope_title(scope)) for scope in scopes[:MAX_SHOWN]],
        "scopes_left_out": max(0, scopes.count() - MAX_SHOWN),
        "courses": _courses_in_words([str(course or "") for course in enabled]),
        "sessions": sessions_in_words(sessions),
        "meaning": meaning_for_sessions() if sessions else "",
    }


def _courses_in_words(courses: list[str]) -> str:
    if "" in courses:
        return _("Every course.")
    if not courses:
        return ""
    names = ", ".join(courses[:MAX_SHOWN]) + (" …" if len(courses) > MAX_SHOWN else "")
    text = ngettext("{count} course: {names}", "{count} courses: {names}", len(courses))
    return text.format(count=len(courses), names=names)


def recent_sessions(profile: AIWorkflowProfile) -> int:
    """The number of sessions that were used recently, at most ``MAX_COUNTED_SESSIONS`` + 1."""
    since = timezone.now() - timedelta(days=RECENT_DAYS)
    # A session keeps the profile that it started with, even if its scope has another one now.
    sessions = AIWorkflowSession.objects.filter(profile=profile, scope__profile=profile, updated_at__gte=since)
    return sessions[: MAX_COUNTED_SESSIONS + 1].count()


def sessions_in_words(count: int) -> str:
    """The result of ``recent_sessions`` as a sentence."""
    if count > MAX_COUNTED_SESSIONS:
        text = _("More than {count} sessions were used in the last {days} days.")
        return text.format(count=MAX_COUNTED_SESSIONS, days=RECENT_DAYS)
    text = ngettext(
        "{count} session was used in the last {days} days.",
        "{count} sessions were used in the last {days} days.",
        count,
    )
    return text.format(count=count, days=RECENT_DAYS)


def meaning_for_sessions() -> str:
    """What a change of the configuration means for conversations that have started."""
    return _(
        "Sessions use the saved configuration from their next message on; earlier messages stay. An open page shows "
        "the widget as before until it is reloaded."
    )
