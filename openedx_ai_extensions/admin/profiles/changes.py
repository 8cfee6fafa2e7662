"""Two texts side by side, line by line, with what differs marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.admin.display import change_link
from openedx_ai_extensions.console.diagnosis import scope_title
from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession
from openedx_ai_extensions.workflows.template_utils import effective_config, load_template, pretty

# Comparing takes the square of the lines: a page must not wait for what nobody reads.
MOST_LINES = 1500


@dataclass(frozen=True, slots=True)
class Side:
    """A line of one of the texts."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """Two lines that stand beside each other; a side is None where the other has a line more."""

    left: Side | None
    right: Side | None
    is_same: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows, and how many of them differ; no rows when the texts are too long."""

    rows: tuple[Row, ...]
    differing: int
    is_too_long: bool = False


def compare(left: str, right: str) -> Comparison:
    """The lines of two texts beside each other."""
    return _compare(left.splitlines(), right.splitlines(), left.splitlines(), right.splitlines())


def compare_configurations(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> Comparison:
    """Two configurations beside each other, without credentials; None counts as empty."""
    old, new = masked(left).splitlines(), masked(right).splitlines()
    # A line does not differ for being no longer the last of its object.
    return _compare(old, new, [line.rstrip(",") for line in old], [line.rstrip(",") for line in new])


def _compare(
    old: Sequence[str], new: Sequence[str], compared_old: Sequence[str], compared_new: Sequence[str]
) -> Comparison:
    if max(len(old), len(new)) > MOST_LINES:
        return Comparison((), 0, is_too_long=True)
    matcher = SequenceMatcher(None, compared_old, compared_new, autojunk=False)
    rows: list[Row] = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        pairs = zip_longest(_sides(old, old_from, old_to), _sides(new, new_from, new_to))
        rows.extend(Row(one, other, kind == "equal") for one, other in pairs)
    return Comparison(tuple(rows), sum(not row.is_same for row in rows))


def _sides(lines: Sequence[str], start: int, end: int) -> list[Side]:
    return [Side(number + 1, lines[number]) for number in range(start, end)]


def template_and_effective(profile: AIWorkflowProfile) -> Comparison | None:
    """The template beside what comes of it with the patch, without credentials; None when the template cannot be read.

    A patch that cannot be read counts as none.
    """
    config = effective_config(profile.base_filepath, profile.content_patch)
    base = load_template(profile.base_filepath)
    if config is None or base is None:
        return None
    return compare_configurations(base, config)


def masked(config: Mapping[str, Any] | None) -> str:
    """A configuration for people: indented, without credentials; empty when there is none."""
    return pretty(redact(config, configured_secrets())) if config is not None else ""


LIVE_DAYS = 30
MOST_SCOPES = 50
MOST_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Impact:
    """Where a profile is at work.

    Attributes:
        scopes: links to the first of its scopes, the most specific first.
        scopes_left_out: how many more there are.
        courses: the ids of their courses; empty for one that serves every course only.
        every_course: does an enabled scope serve every course?
        sessions: how many sessions were used lately; one more than ``MOST_SESSIONS`` stands for any larger number.
    """

    scopes: tuple[SafeString, ...]
    scopes_left_out: int
    courses: tuple[str, ...]
    every_course: bool
    sessions: int

    @property
    def courses_in_words(self) -> str:
        """Whom a save reaches, in words; empty when no enabled scope is left."""
        if self.every_course:
            return _("Every course.")
        if not self.courses:
            return ""
        text = ngettext("{count} course: {names}", "{count} courses: {names}", len(self.courses))
        names = ", ".join(self.courses[:MOST_SCOPES]) + (" …" if len(self.courses) > MOST_SCOPES else "")
        return text.format(count=len(self.courses), names=names)

    @property
    def sessions_in_words(self) -> str:
        if self.sessions > MOST_SESSIONS:
            return _("More than {count} sessions were used in the last {days} days.").format(
                count=MOST_SESSIONS, days=LIVE_DAYS
            )
        text = ngettext(
            "{count} session was used in the last {days} days.",
            "{count} sessions were used in the last {days} days.",
            self.sessions,
        )
        return text.format(count=self.sessions, days=LIVE_DAYS)


def touched(profile: AIWorkflowProfile) -> Impact:
    """What a save of this profile reaches now."""
    scopes = AIWorkflowScope.objects.filter(profile=profile).order_by("-specificity_index", "pk")
    enabled = scopes.filter(enabled=True).order_by("course_id").values_list("course_id", flat=True).distinct()
    courses = [str(course or "") for course in enabled]
    return Impact(
        scopes=tuple(change_link(scope, scope_title(scope)) for scope in scopes[:MOST_SCOPES]),
        scopes_left_out=max(0, scopes.count() - MOST_SCOPES),
        courses=tuple(course for course in courses if course),
        every_course="" in courses,
        sessions=live_sessions(profile),
    )


def live_sessions(profile: AIWorkflowProfile) -> int:
    """How many sessions of its scopes were used lately, counted up to one more than ``MOST_SESSIONS``."""
    since = timezone.now() - timedelta(days=LIVE_DAYS)
    # A session stays with the profile that it was begun with, even if its scope has another now.
    sessions = AIWorkflowSession.objects.filter(profile=profile, scope__profile=profile, updated_at__gte=since)
    return sessions[: MOST_SESSIONS + 1].count()


def meaning_for_sessions() -> str:
    """What a changed configuration means to those in the middle of something."""
    return _(
        "Sessions go on with what is saved, from their next message; what was said before stays. A page that is open "
        "shows the widget as it was until it is loaded again."
    )
