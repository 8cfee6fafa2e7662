"""What a block inherits: who may see it, from when, and when its answers open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from openedx_ai_extensions.edxapp.interface import PERSONAL_CONTAINERS
from openedx_ai_extensions.edxapp.standalone.values import NEVER, flag, has_groups, moment, period, plain

ALWAYS = datetime.min.replace(tzinfo=UTC)

# Each learner gets some of their children; an export cannot say which, so learners are shown none.
_BANKS = frozenset({"library_content", "legacy_library_content", "itembank"})
_ALL_OF_THEM = "-1"
# Timed and proctored exams open through an attempt, which an export knows nothing of.
_EXAM_FLAGS = (
    "is_time_limited", "is_proctored_enabled", "is_proctored_exam", "is_practice_exam", "is_onboarding_exam"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that hold for one block, and that its children start from.

    A restriction that cannot be read restricts, and a date that cannot be read is one that never comes.

    Attributes:
        hidden: never for learners: for staff only, for some groups only, an exam, or a draft.
        opens, closes: learners see it between these.
        due, grace: when work on it ends. A grace of None cannot be read.
        showanswer, show_correctness: the words of the rules that open answers.
        self_paced: due dates bind nobody.
    """

    hidden: bool = False
    opens: datetime = ALWAYS
    closes: datetime = NEVER
    due: datetime = NEVER
    grace: timedelta | None = timedelta()
    showanswer: str = ""
    show_correctness: str = "always"
    self_paced: bool = False

    def below(self, fields: Mapping[str, str]) -> Rules:
        """The rules of a child with those fields."""
        due = _date(fields.get("due"), absent=self.due)
        return replace(
            self,
            hidden=self.hidden or _is_hidden(fields),
            opens=max(self.opens, _date(fields.get("start"), absent=ALWAYS)),
            closes=min(self.closes, due) if flag(fields.get("hide_after_due")) else self.closes,
            due=due,
            grace=_grace(fields["graceperiod"]) if "graceperiod" in fields else self.grace,
            showanswer=plain(fields.get("showanswer")).lower() or self.showanswer,
            show_correctness=plain(fields.get("show_correctness")).lower() or self.show_correctness,
            self_paced=self.self_paced or flag(fields.get("self_paced")),
        )

    def for_children_of(self, category: str, fields: Mapping[str, str]) -> Rules:
        """The rules that the children of a block with those fields start from."""
        shows_all = category in _BANKS and plain(fields.get("max_count")) == _ALL_OF_THEM
        return self if category not in PERSONAL_CONTAINERS or shows_all else self.for_staff()

    def for_staff(self) -> Rules:
        return replace(self, hidden=True)

    @property
    def answers_open(self) -> datetime:
        """When the answers open for everyone; where that depends on a person's attempts, never."""
        if self.show_correctness not in {"always", "past_due"}:
            return NEVER
        if self.showanswer == self.show_correctness == "always":
            return ALWAYS
        if self.showanswer not in {"always", "past_due", "closed"} or self.self_paced or self.grace is None:
            return NEVER
        try:
            return self.due + self.grace
        except OverflowError:
            return NEVER


def _is_hidden(fields: Mapping[str, str]) -> bool:
    return flag(fields.get("visible_to_staff_only")) or has_groups(fields.get("group_access")) or is_exam(fields)


def is_exam(fields: Mapping[str, Any]) -> bool:
    """Is a block with those fields a timed or proctored exam, also one for practice?"""
    return any(flag(fields.get(name)) for name in _EXAM_FLAGS)


def _date(value: str | None, *, absent: datetime) -> datetime:
    try:
        return moment(value) or absent
    except ValueError:
        return NEVER


def _grace(value: str) -> timedelta | None:
    try:
        return period(value)
    except (ValueError, OverflowError):
        return None
