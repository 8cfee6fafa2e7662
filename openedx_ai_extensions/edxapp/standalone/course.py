"""A course in memory: its blocks, and the rules that decide who sees them when. All is immutable."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import EXAM_FIELDS, PERSONAL_CONTAINERS, CourseInfo, Step
from openedx_ai_extensions.edxapp.safe_parsing import parse_json

ALWAYS = datetime.min.replace(tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)

# Banks show each learner some of their children, unless their ``max_count`` is this one.
_BANKS = frozenset({"library_content", "legacy_library_content", "itembank"})
_ALL_CHILDREN = "-1"

_ABSENT = frozenset({"", "null", "none"})
_FALSE = _ABSENT | {"false"}
_PERIOD = re.compile(r"(\d{1,9})\s*(day|hour|minute|second)s?\b")


@dataclass(frozen=True, slots=True, eq=False)
class StoredBlock:
    """A block of an export.

    Attributes:
        hidden: learners never see it: it or a block that contains it is for staff or some groups only, an exam, or a
            draft.
        opens, closes: learners see it between these, which include the limits of the blocks that contain it.
        answers_open: when its show-answer rule shows the answers.
        children: in reading order.
        step: the block as part of a path.
        in_outline: learners find it in the outline; they can open other blocks only by their address.
    """

    usage_key: UsageKey
    category: str
    display_name: str
    fields: Mapping[str, Any]
    hidden: bool
    opens: datetime
    closes: datetime
    answers_open: datetime
    children: tuple[StoredBlock, ...]
    step: Step
    in_outline: bool = True

    def is_open(self, now: datetime) -> bool:
        """Do learners see it now?"""
        return not self.hidden and self.opens <= now < self.closes


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A course of an export.

    Attributes:
        root: the course block.
        blocks: every block by its key.
        units: every unit in reading order.
        unit_ranges: positions in ``units`` by block: the units in the block, or the unit that contains it.
        sequences: the sequence that a block is, or that contains it, if any.
        parents: the block that contains a block; the course has none.
    """

    info: CourseInfo
    root: StoredBlock
    blocks: Mapping[UsageKey, StoredBlock]
    units: tuple[StoredBlock, ...]
    unit_ranges: Mapping[UsageKey, range]
    sequences: Mapping[UsageKey, UsageKey]
    parents: Mapping[UsageKey, UsageKey]

    def way_to(self, usage_key: UsageKey) -> list[Step]:
        """The path from the course down to a block; empty if there is no such block."""
        way = []
        key: UsageKey | None = usage_key if usage_key in self.blocks else None
        while key is not None:
            way.append(self.blocks[key].step)
            key = self.parents.get(key)
        return way[::-1]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that apply to one block, and that its children inherit.

    A restriction that cannot be read restricts, and a date that cannot be read never comes.

    Attributes:
        hidden, opens, closes: see ``StoredBlock``.
        due, grace: when work on it ends. A grace of None cannot be read.
        showanswer, show_correctness: when answers are shown, in the words of the platform.
        self_paced: due dates do not apply.
    """

    hidden: bool = False
    opens: datetime = ALWAYS
    closes: datetime = NEVER
    due: datetime = NEVER
    grace: timedelta | None = timedelta()
    showanswer: str = ""
    show_correctness: str = "always"
    self_paced: bool = False

    def of_child(self, fields: Mapping[str, str]) -> Rules:
        """The rules of a child with these fields."""
        due = _date(fields.get("due"), absent=self.due)
        is_restricted = flag(fields.get("visible_to_staff_only")) or _has_groups(fields.get("group_access"))
        return replace(
            self,
            hidden=self.hidden or is_restricted or is_exam(fields),
            opens=max(self.opens, _date(fields.get("start"), absent=ALWAYS)),
            closes=min(self.closes, due) if flag(fields.get("hide_after_due")) else self.closes,
            due=due,
            grace=_grace(fields["graceperiod"]) if "graceperiod" in fields else self.grace,
            showanswer=plain(fields.get("showanswer")).lower() or self.showanswer,
            show_correctness=plain(fields.get("show_correctness")).lower() or self.show_correctness,
            self_paced=self.self_paced or flag(fields.get("self_paced")),
        )

    def for_children_of(self, category: str, fields: Mapping[str, str]) -> Rules:
        """The rules that the children of a block with these fields inherit. An export does not say which children of
        a personal container a learner sees, so learners see none.
        """
        shows_all = category in _BANKS and plain(fields.get("max_count")) == _ALL_CHILDREN
        return self if category not in PERSONAL_CONTAINERS or shows_all else self.for_staff()

    def for_staff(self) -> Rules:
        return replace(self, hidden=True)

    @property
    def answers_open(self) -> datetime:
        """When the answers are shown to everyone; never, if that depends on a person's attempts."""
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


def is_exam(fields: Mapping[str, Any]) -> bool:
    """Is a block with these fields a timed or proctored exam, also for practice?"""
    return any(flag(fields.get(name)) for name in EXAM_FIELDS)


def as_text(value: Any) -> str:
    """A JSON value as OLX writes it in an attribute. Raises ValueError: it is nested too deep."""
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def plain(value: Any) -> str:
    """The text of a field, without the quotes that older exports put around it."""
    text = "" if value is None else str(value).strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == '"' else text


def flag(value: Any) -> bool:
    """Is it set? Any value but absent and false is, so that a restriction in an unknown notation restricts."""
    return plain(value).lower() not in _FALSE


def moment(value: Any) -> datetime | None:
    """A date and time, UTC by default; None if absent. Raises ValueError: it is not a date."""
    text = plain(value)
    if text.lower() in _ABSENT:
        return None
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _date(value: str | None, *, absent: datetime) -> datetime:
    try:
        return moment(value) or absent
    except ValueError:
        return NEVER


def _grace(value: str) -> timedelta | None:
    """A length of time such as ``2 days 5 hours``; zero if absent, None if it cannot be read."""
    text = plain(value).lower()
    if text in _ABSENT:
        return timedelta()
    parts = _PERIOD.findall(text)
    try:
        return sum((timedelta(**{f"{unit}s": int(number)}) for number, unit in parts), timedelta()) if parts else None
    except OverflowError:
        return None


def _has_groups(value: Any) -> bool:
    """Does ``group_access`` restrict anything? A value that cannot be read does."""
    if not flag(value):
        return False
    try:
        groups = parse_json(value) if isinstance(value, str) else value
    except ValueError:
        return True
    return any(groups.values()) if isinstance(groups, dict) else bool(groups)
