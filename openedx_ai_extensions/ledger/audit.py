"""Compares the rollups with the ledger's rows and repairs them, one day at a time, while the site is running."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import sub
from typing import Any

from django.db import router, transaction
from django.db.models import F, Max, Min
from django.utils import timezone

from openedx_ai_extensions.ledger.counters import COUNTING_LOCK_KEY
from openedx_ai_extensions.ledger.models import AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.ledger.rollups import (
    COLUMNS,
    DIMENSIONS,
    SUMS,
    Figures,
    Sums,
    add_to_people,
    add_to_places,
    facts,
    plus,
)
from openedx_ai_extensions.ledger.usage_models import AIUsageByPerson, AIUsageByPlace, RollupLevel, Usage

PURGE_MARK_KEY = "purged"  # key of a marker row: runs before its starts_at have been purged
ROWS_PER_QUERY = 5_000  # rows


@dataclass(frozen=True, slots=True)
class AuditedPeriod:
    """The result for one day or month.

    Attributes:
        name: such as ``2026-11-21`` or ``2026-11``.
        differences: the number of sums that differ from the rows.
    """

    name: str
    differences: int


def audit(*, repair: bool) -> Iterator[AuditedPeriod]:
    """Compare each day with its rows and each month with its days; optionally repair the differences.

    Days with purged rows are not compared. Counting is blocked for one day's comparison at a time.
    """
    days = _days()
    for day in days:
        with _counting_locked():
            found = _audit(day, [RollupLevel.DAY, RollupLevel.SITE], _rows_of_day(day), repair=repair)
        yield AuditedPeriod(day.isoformat(), found)
    for month in sorted({day.replace(day=1) for day in days}):
        with _counting_locked():
            found = _audit(month, [RollupLevel.MONTH], _days_of_month(month), repair=repair)
        yield AuditedPeriod(month.isoformat()[:7], found)


def _audit(day: date, levels: Sequence[str], sums: Sums, *, repair: bool) -> int:
    """The number of sums of these levels that differ from ``sums``."""
    places = _differences(AIUsageByPlace, day, levels, sums.by_place(), COLUMNS)
    people = _differences(AIUsageByPerson, day, levels, sums.by_person(), SUMS)
    if repair:
        add_to_places(places)
        add_to_people(people)
        for model in (AIUsageByPlace, AIUsageByPerson):  # sums without any rows
            model._default_manager.filter(day=day, level__in=levels, **dict.fromkeys(SUMS, 0)).delete()
    return len(places) + len(people)


def _differences(
    model: type[Usage], day: date, levels: Sequence[str], right: Mapping[Any, Figures], columns: Sequence[str]
) -> dict[Any, Figures]:
    what = DIMENSIONS if model is AIUsageByPlace else ("user_id",)
    stored = {}
    rows = model._default_manager.filter(day=day, level__in=levels).values_list("level", *what, *columns)
    for level, *row in rows.iterator(chunk_size=2000):
        values, figures = row[: len(what)], row[len(what) :]
        stored[level, day, tuple(values) if model is AIUsageByPlace else values[0]] = figures
    nothing = [0] * len(columns)
    wanted = {key: figures for key, figures in right.items() if key[0] in levels and key[1] == day}
    differences = {
        key: list(map(sub, wanted.get(key, nothing), stored.get(key, nothing))) for key in {*wanted, *stored}
    }
    return {key: figures for key, figures in differences.items() if any(figures)}


def _rows_of_day(day: date) -> Sums:
    sums = Sums()
    begin, end = (midnight(each).astimezone(UTC) for each in (day, day + timedelta(days=1)))
    rows = AIWorkflowRun.objects.filter(is_counted=True)
    # Bounds the number of rows in memory.
    parts = rows.filter(created_at__gte=begin, created_at__lt=end).count() // ROWS_PER_QUERY + 1
    step = (end - begin) / parts
    for number in range(parts):
        until = end if number == parts - 1 else begin + (number + 1) * step
        for fact in facts(rows.filter(created_at__gte=begin + number * step, created_at__lt=until)):
            sums.add(fact)
    return sums


def _days_of_month(month: date) -> Sums:
    """The stored days of a month, added up under its first day."""
    sums = Sums()
    for number in range(monthrange(month.year, month.month)[1]):
        days = {"level": RollupLevel.DAY, "day": month.replace(day=number + 1)}
        for row in AIUsageByPlace.objects.filter(**days).values_list(*DIMENSIONS, *COLUMNS):
            key = (month, tuple(row[: len(DIMENSIONS)]))
            sums.places[key] = plus(sums.places[key], list(row[len(DIMENSIONS) :]))
        for user_id, *figures in AIUsageByPerson.objects.filter(**days).values_list("user_id", *SUMS):
            sums.people[month, user_id] = plus(sums.people[month, user_id], figures)
    return sums


@contextmanager
def _counting_locked() -> Iterator[None]:
    """A transaction that holds the counting lock."""
    AIUsageTotal.objects.get_or_create(key=COUNTING_LOCK_KEY, defaults={"starts_at": timezone.now()})
    with transaction.atomic(using=router.db_for_write(AIUsageTotal)):
        AIUsageTotal.objects.filter(key=COUNTING_LOCK_KEY).update(requests=F("requests") + 1)
        yield


def _days() -> list[date]:
    """All days with rows or sums, beginning after the last purge."""
    rows = AIWorkflowRun.objects.aggregate(first=Min("created_at"), last=Max("created_at"))
    sums = AIUsageByPlace.objects.filter(level=RollupLevel.SITE).aggregate(first=Min("day"), last=Max("day"))
    tz = timezone.get_default_timezone()
    seen = [moment.astimezone(tz).date() for moment in rows.values() if moment]
    seen += [day for day in sums.values() if day]
    if not seen:
        return []
    first, last = min(seen), max(seen)
    purged = AIUsageTotal.objects.filter(key=PURGE_MARK_KEY).first()
    if purged:
        first = max(first, purged.starts_at.astimezone(tz).date())
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def midnight(day: date) -> datetime:
    """The start of a day in the site's time zone."""
    return datetime.combine(day, time(), timezone.get_default_timezone())
