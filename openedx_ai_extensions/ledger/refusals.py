"""Refusals, which nothing bounds, are counted rather than listed: one row for each person, reason and a few minutes."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from openedx_ai_extensions.ledger.models import AIWorkflowRun

MERGE_WINDOW = timedelta(minutes=10)  # in which a row takes in more of the same
COUNT_DELAY = timedelta(seconds=30)  # after which it goes into the totals: who found it in time has written by then
MERGE_FIELDS = (
    "user_id",
    "course_id",
    "profile_id",
    "profile_slug",
    "action",
    "service_variant",
    "error_code",
    "refused_by",
)


def _younger_than(age: timedelta) -> Q:
    return Q(outcome=AIWorkflowRun.Outcome.REFUSED, calls=0, created_at__gt=timezone.now() - age)


def is_open() -> Q:
    """Rows that may still change."""
    return _younger_than(MERGE_WINDOW + COUNT_DELAY)


def merge_into_earlier(row: AIWorkflowRun) -> int | None:
    """Count a refused run that used nothing with an earlier one like it, if there is one; its own row goes.

    Returns:
        The id of the row that counts it; None when there is none, and it needs a row of its own.
    """
    same = {name: getattr(row, name) for name in MERGE_FIELDS}
    rows = AIWorkflowRun.objects.filter(_younger_than(MERGE_WINDOW), is_counted=False, **same).exclude(pk=row.pk)
    known = rows.order_by("pk").values_list("pk", flat=True).first()
    if known is None or not _add(known, 1):
        return None
    if row.pk is not None:
        AIWorkflowRun.objects.filter(pk=row.pk).delete()
        row.pk = None
        row._state.adding = True
    return known


def undo_merge(known: int) -> None:
    """It was no refusal after all: another provider is asked."""
    _add(known, -1)


def _add(known: int, number: int) -> bool:
    return bool(AIWorkflowRun.objects.filter(pk=known, is_counted=False).update(times=F("times") + number))
