"""Deletes old rows of the ledger; their sums are kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Max, QuerySet
from django.utils import timezone

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.ledger.audit import PURGE_MARK_KEY
from openedx_ai_extensions.ledger.models import AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.ledger.periods import Period, begins

MAX_DAYS = 36_500  # that rows are kept: more is beyond the dates that Python can count with


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
