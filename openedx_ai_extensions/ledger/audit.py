"""Upkeep of the ledger while the site is running: compares the rollups with the ledger's rows, repairs them one day at
a time, and deletes old rows; their sums are kept.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import sub

from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.ledger.models import (
    AIUsageByPerson,
    AIUsageByPlace,
    AIUsageTotal,
    AIWorkflowRun,
    RollupLevel,
    Usage,
)
from openedx_ai_extensions.ledger.periods import Period, begins
from openedx_ai_extensions.ledger.rollups import (
    COLUMNS,
    DIMENSIONS,
    SUMS,
    Figures,
    Sums,
    UsageKey,
    add_to_usage,
    facts,
    fields_of,
    plus,
)

PURGE_MARK_KEY = "purged"  # key of a marker row: runs before its starts_at have been purged
ROWS_PER_QUERY = 5_000  # rows
MAX_DAYS = 36_500  # that rows are kept: more is beyond the dates that Python can count with


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
        with counters.counting_locked():
            found = _audit(day, [RollupLevel.DAY, RollupLevel.SITE], _rows_of_day(day), repair=repair)
        yield AuditedPeriod(day.isoformat(), found)
    for month in sorted({day.replace(day=1) for day in days}):
        with counters.counting_locked():
            found = _audit(month, [RollupLevel.MONTH], _days_of_month(month), repair=repair)
        yield AuditedPeriod(month.isoformat()[:7], found)


def _audit(day: date, levels: Sequence[str], sums: Sums, *, repair: bool) -> int:
    """The number of sums of these levels that differ from ``sums``."""
    found = 0
    for model, right in ((AIUsageByPlace, sums.by_place()), (AIUsageByPerson, sums.by_person())):
        differences = _differences(model, day, levels, right)
        found += len(differences)
        if repair:
            add_to_usage(model, differences)
            # Sums without any rows.
            model._default_manager.filter(day=day, level__in=levels, **dict.fromkeys(SUMS, 0)).delete()
    return found


def _differences(
    model: type[Usage], day: date, levels: Sequence[str], right: Mapping[UsageKey, Figures]
) -> dict[UsageKey, Figures]:
    what, columns = fields_of(model)
    stored: dict[UsageKey, Figures] = {}
    rows = model._default_manager.filter(day=day, level__in=levels).values_list("level", *what, *columns)
    for level, *row in rows.iterator(chunk_size=2000):
        stored[level, day, tuple(row[: len(what)])] = row[len(what) :]
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


def purge_cutoff(days: int, now: datetime) -> datetime:
    """The time before which rows are purged: the start of a day, so that sums and remaining rows can be compared."""
    return begins(Period.DAY, begins(Period.DAY, now).replace(hour=12) - timedelta(days=min(days, MAX_DAYS)))


def purgeable_rows(before: datetime) -> QuerySet[AIWorkflowRun]:
    """The rows that may be deleted; rows that are not counted yet are excluded."""
    return AIWorkflowRun.objects.filter(created_at__lt=before, is_counted=True)


def purge(before: datetime, batch: int) -> Iterator[int]:
    """Delete old rows in batches, one transaction each; yields the size of each batch. Also deletes old totals of
    limits.
    """
    while counters.count() == counters.ROWS_PER_COUNT:
        pass
    mark, is_new = AIUsageTotal.objects.get_or_create(key=PURGE_MARK_KEY, defaults={"starts_at": before})
    if not is_new and mark.starts_at < before:
        AIUsageTotal.objects.filter(key=PURGE_MARK_KEY).update(starts_at=before)
    last = purgeable_rows(before).aggregate(last=Max("pk"))["last"] or 0
    first = 0
    while True:
        next_ones = purgeable_rows(before).filter(pk__gt=first, pk__lte=last).order_by("pk")
        pks = list(next_ones.values_list("pk", flat=True)[:batch])
        if not pks:
            break
        first = pks[-1]
        yield purgeable_rows(before).filter(pk__gte=pks[0], pk__lte=first).delete()[0]
    _forget_old_totals(batch)


def _forget_old_totals(batch: int) -> None:
    """Delete the totals of past months, which no limit reads any more."""
    over = AIUsageTotal.objects.filter(starts_at__lt=begins(Period.MONTH, timezone.now()))
    over = over.exclude(key__in=[counters.COUNTING_LOCK_KEY, PURGE_MARK_KEY])
    while True:
        pks = list(over.values_list("pk", flat=True)[:batch])
        if not pks:
            return
        over.filter(pk__in=pks).delete()
