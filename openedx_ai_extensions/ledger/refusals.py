"""Merges repeated refusals into one row for each person, reason and few minutes: nothing else limits their number."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from openedx_ai_extensions.ledger.models import AIWorkflowRun

MERGE_WINDOW = timedelta(minutes=10)  # for which a row takes in further refusals
COUNT_DELAY = timedelta(seconds=30)  # after MERGE_WINDOW: concurrent merges have finished by then
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
    """Merge a refused run without any usage into an earlier, similar one, and delete its own row.

    Returns:
        The id of the row that counts the refusal; None if there is no such row and the run needs its own.
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
    """Undo a merge, because another provider is called after the refusal."""
    _add(known, -1)


def _add(known: int, number: int) -> bool:
    return bool(AIWorkflowRun.objects.filter(pk=known, is_counted=False).update(times=F("times") + number))
