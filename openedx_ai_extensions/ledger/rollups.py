"""Sums of the ledger's rows by day and month, updated in the transaction that counts the rows."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from operator import add
from typing import Any, NamedTuple

from django.db import connections, router
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone

from openedx_ai_extensions.ledger.models import (
    DURATION,
    FIRST_TOKEN,
    AIUsageByPerson,
    AIUsageByPlace,
    AIWorkflowRun,
    RollupLevel,
    Usage,
    bucket,
)
from openedx_ai_extensions.ledger.prices import bounded_micros, bounded_tokens

TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")
SUMS = ("completed", "failed", "cancelled", "refused", "lost", "requests", "cached", *TOKENS, "cost_micros")
TIMES = (*FIRST_TOKEN, *DURATION)
ROWS_PER_WRITE = 500
DIMENSIONS = ("course_id", "profile_slug", "provider", "model")

COLUMNS = (*SUMS, *TIMES)

Figures = list[int]  # in the order of COLUMNS, or of SUMS
UsageKey = tuple[str, date, tuple[str | int, ...]]  # level, day; and the dimensions, or the id of a person

_OUTCOMES = {name: number for number, name in enumerate(SUMS[:5])}
_FIRST_TOKEN, _DURATION = len(SUMS), len(SUMS) + len(FIRST_TOKEN)


class Fact(NamedTuple):
    """The fields of a ledger row that are summed up, in the order in which they are read."""

    created_at: datetime
    course_id: str
    profile_slug: str
    provider: str
    model: str
    user_id: int | None
    outcome: str
    times: int
    calls: int
    is_cached: bool
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_micros: int
    first_token_ms: int | None
    duration_ms: int | None

    @property
    def place(self) -> tuple[str, ...]:
        return (self.course_id, self.profile_slug, self.provider, self.model)


def facts(rows: QuerySet[AIWorkflowRun]) -> Iterator[Fact]:
    """Read only the fields to sum up. The course key stays a string: parsing it is slow."""
    names = [name if name != "course_id" else "course" for name in Fact._fields]
    course = Cast("course_id", CharField(max_length=255))
    return map(Fact._make, rows.annotate(course=course).values_list(*names).iterator(chunk_size=5000))


def fact_of(row: AIWorkflowRun) -> Fact:
    values = {name: getattr(row, name) for name in Fact._fields}
    return Fact(**values | {"course_id": str(row.course_id or "")})


def day_of(moment: datetime) -> date:
    """The date in the site's time zone."""
    return moment.astimezone(timezone.get_default_timezone()).date()


class Sums:
    """Sums of rows in memory, by day. The sums of months and of the site are derived from them."""

    def __init__(self) -> None:
        self.places: defaultdict[tuple[date, tuple[str, ...]], Figures] = defaultdict(lambda: [0] * len(COLUMNS))
        self.people: defaultdict[tuple[date, int], Figures] = defaultdict(lambda: [0] * len(SUMS))

    def add(self, fact: Fact, sign: int = 1) -> None:
        """Add a run; with a sign of -1, subtract it."""
        day = day_of(fact.created_at)
        cell = self.places[day, fact.place]
        add_run(cell, fact, sign)
        add_times(cell, fact, sign)
        if fact.user_id is not None:
            add_run(self.people[day, fact.user_id], fact, sign)

    def by_place(self) -> dict[UsageKey, Figures]:
        """The sums of every level."""
        cells: defaultdict[UsageKey, Figures] = defaultdict(lambda: [0] * len(COLUMNS))
        for (day, place), figures in self.places.items():
            anywhere = ("", *place[1:])
            for key in (
                (RollupLevel.DAY, day, place),
                (RollupLevel.MONTH, day.replace(day=1), place),
                (RollupLevel.SITE, day, anywhere),
            ):
                cells[key] = plus(cells[key], figures)
        return cells

    def by_person(self) -> dict[UsageKey, Figures]:
        """The sums of every level."""
        cells: defaultdict[UsageKey, Figures] = defaultdict(lambda: [0] * len(SUMS))
        for (day, user_id), figures in self.people.items():
            for key in ((RollupLevel.DAY, day, (user_id,)), (RollupLevel.MONTH, day.replace(day=1), (user_id,))):
                cells[key] = plus(cells[key], figures)
        return cells


def add_run(cell: Figures, fact: Fact, sign: int) -> None:
    """Add a run to the columns of SUMS."""
    outcome = _OUTCOMES.get(fact.outcome)
    if outcome is not None:
        cell[outcome] += sign * fact.times
    cell[5] += sign * (fact.calls > 0)
    cell[6] += sign * fact.is_cached
    cell[7] += sign * bounded_tokens(fact.prompt_tokens)
    cell[8] += sign * bounded_tokens(fact.cached_tokens)
    cell[9] += sign * bounded_tokens(fact.completion_tokens)
    cell[10] += sign * bounded_micros(fact.cost_micros)


def add_times(cell: Figures, fact: Fact, sign: int) -> None:
    if fact.first_token_ms is not None:
        cell[_FIRST_TOKEN + bucket(fact.first_token_ms)] += sign
    if fact.duration_ms is not None:
        cell[_DURATION + bucket(fact.duration_ms)] += sign


def plus(figures: Figures, more: Figures) -> Figures:
    return list(map(add, figures, more))


def roll_up(added: Iterable[AIWorkflowRun], removed: Iterable[AIWorkflowRun] = ()) -> None:
    """Add counted rows and subtract replaced ones. Call it inside the transaction that counts the rows."""
    sums = Sums()
    for row in added:
        sums.add(fact_of(row))
    for row in removed:
        sums.add(fact_of(row), sign=-1)
    add_to_usage(AIUsageByPlace, sums.by_place())
    add_to_usage(AIUsageByPerson, sums.by_person())


def key_of(level: str, day: date, what: tuple[str | int, ...]) -> str:
    name = "\n".join([str(level), day.isoformat(), *map(str, what)])
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def fields_of(model: type[Usage]) -> tuple[Sequence[str], Sequence[str]]:
    """The fields of a table that the last part of a ``UsageKey`` holds, and those of its figures."""
    return (DIMENSIONS, COLUMNS) if model is AIUsageByPlace else (("user_id",), SUMS)


def add_to_usage(model: type[Usage], cells: Mapping[UsageKey, Figures]) -> None:
    """Add sums to a table. Call it inside the transaction that counts the rows."""
    dimensions, columns = fields_of(model)
    named = {key_of(*key): key for key in cells}
    features = connections[router.db_for_write(model)].features
    unique: dict[str, Any] = {"unique_fields": ["key"]} if features.supports_update_conflicts_with_target else {}
    manager = model._default_manager
    names = sorted(named)
    for start in range(0, len(names), ROWS_PER_WRITE):
        keys = names[start : start + ROWS_PER_WRITE]
        known = {key: list(figures) for key, *figures in manager.filter(key__in=keys).values_list("key", *columns)}
        rows = []
        for key in keys:
            level, day, what = named[key]
            figures = cells[named[key]]
            after = plus(known[key], figures) if key in known else figures
            fields = dict(zip((*dimensions, *columns), (*what, *after), strict=True))
            rows.append(model(key=key, level=level, day=day, **fields))
        manager.bulk_create(rows, update_conflicts=True, update_fields=list(columns), **unique)
