"""Usage counters: a total for each subject and period, plus the ledger rows that are not counted yet.

Runs take no locks: a run writes its row with the amounts that it reserves, and then reads everything that is reserved
or used. Settled rows are added to the totals later, in batches (``count``). See the ADR on the ledger.

Repeated refusals are merged into one row for each person, reason and few minutes: nothing else limits their number.

Operators are warned before a limit is used up: at 80 % and at 100 %.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, connections, router, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.cache import tolerated_outage
from openedx_ai_extensions.ledger import sql
from openedx_ai_extensions.ledger.limits import Amounts, Limit, LimitKind, Limits, Subject, total_key
from openedx_ai_extensions.ledger.models import AILimit, AIUsageByPerson, AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.ledger.periods import Period, begins
from openedx_ai_extensions.ledger.prices import bounded_micros, bounded_tokens
from openedx_ai_extensions.ledger.rollups import roll_up
from openedx_ai_extensions.ledger.signals import limit_reached

logger = logging.getLogger(__name__)

COUNTING_LOCK_KEY = "lock"  # key of the lock row; it is not a total
ROWS_PER_COUNT = 500
# Delay between the end of a reservation and marking its run as lost: the run may be settling at that moment.
LAPSED_GRACE = timedelta(seconds=30)
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
THRESHOLDS = (80, 100)  # per cent of a limit
MAX_REMEMBERED = 10_000
# Thresholds that this process has notified: most runs of a used-up limit skip the cache and the database.
_notified: set[str] = set()
conf.when_changed(_notified.clear)


class LimitUsage:
    """The usage, including reservations, that counts towards some limits; read in one query.

    Args:
        limits, now, before: as for ``sql.query_usage``.
    """

    def __init__(self, limits: Limits, now: datetime, *, before: int = 0) -> None:
        self._columns = {subject: number for number, subject in enumerate(limits.subjects, start=3)}
        self._known: dict[tuple[str, bool], Amounts] = {}
        self._totals: dict[str, Sequence[Any]] = {}
        self._rows: list[Sequence[Any]] = []
        for row in sql.query_usage(limits, now, before):
            if row[0]:
                self._totals[row[0]] = row
            else:
                self._rows.append(row)

    def of(self, limit: Limit, *, only_before: bool = False) -> Amounts:
        """The usage that counts towards a limit. ``only_before`` excludes runs after the one that was asked for."""
        known = self._known.get((limit.key, only_before))
        if known is None:
            known = self._known[limit.key, only_before] = self._sum(limit, only_before)
        return known

    def _sum(self, limit: Limit, only_before: bool) -> Amounts:
        column, longest = self._columns[limit.subject], sql.RECENCY[limit.period]
        requests = tokens = micros = 0
        for row in self._rows:
            if row[column] and row[2] <= longest and (row[1] or not only_before):
                requests, tokens, micros = requests + row[-3], tokens + row[-2], micros + row[-1]
        total = self._totals.get(limit.key)
        if total is not None:
            requests, tokens, micros = requests + total[-3], tokens + total[-2], micros + total[-1]
        return Amounts(int(requests), int(tokens), int(micros))


def _uncounted() -> QuerySet[AIWorkflowRun]:
    return AIWorkflowRun.objects.filter(is_counted=False)


@contextmanager
def counting_locked() -> Iterator[None]:
    """A transaction in which nothing else counts. It begins with a write, which takes the lock."""
    using = router.db_for_write(AIUsageTotal)
    AIUsageTotal.objects.using(using).get_or_create(key=COUNTING_LOCK_KEY, defaults={"starts_at": timezone.now()})
    with transaction.atomic(using=using):
        AIUsageTotal.objects.filter(key=COUNTING_LOCK_KEY).update(requests=F("requests") + 1)
        yield


def count(now: datetime | None = None) -> int:
    """Add finished runs to the totals, at most one batch. Returns their number. Runs of dead processes count as
    finished.

    One process counts at a time; the totals and the ``is_counted`` flags change in one transaction.
    """
    now = now or timezone.now()
    with counting_locked():
        _mark_lapsed_as_lost(now)
        over = _uncounted().exclude(outcome=AIWorkflowRun.Outcome.RUNNING).exclude(_may_change())
        rows = list(over.order_by("pk")[:ROWS_PER_COUNT])
        _add(rows, now)
        roll_up(rows)
        AIWorkflowRun.objects.filter(pk__in=[row.pk for row in rows]).update(is_counted=True)
    return len(rows)


def _mark_lapsed_as_lost(now: datetime) -> None:
    lost = _uncounted().filter(outcome=AIWorkflowRun.Outcome.RUNNING, held_until__lt=now - LAPSED_GRACE)
    # The actual usage is unknown; the reservation is the best estimate. Its tokens count as completion tokens.
    number = lost.update(
        outcome=AIWorkflowRun.Outcome.LOST,
        is_estimated=True,
        completion_tokens=F("completion_tokens") + F("held_tokens"),
        cost_micros=F("cost_micros") + F("held_micros"),
        held_tokens=0,
        held_micros=0,
        held_until=None,
    )
    if number:
        logger.warning("ledger.runs.lost number=%s", number)


def _add(rows: Sequence[AIWorkflowRun], now: datetime) -> None:
    """Add rows to the totals of the current periods."""
    changes: defaultdict[str, Amounts] = defaultdict(Amounts)
    times: dict[str, datetime] = {}
    for row in rows:
        totals, amounts = _current_totals(row, now), _amounts(row)
        times |= totals
        for key in totals:
            changes[key] += amounts
    add_to_totals(changes, times)


def _current_totals(row: AIWorkflowRun, now: datetime) -> dict[str, datetime]:
    """The keys of the current totals to which a row belongs, with the start of their periods."""
    starts = {str(period): begins(period, now) for period in Period}
    subjects = list(subject_of(row).subjects())
    return {
        total_key(subject, period): starts_at
        for period, starts_at in starts.items()
        if row.created_at >= starts_at
        for subject in subjects
    }


def _amounts(row: AIWorkflowRun) -> Amounts:
    return Amounts(int(row.calls > 0), bounded_tokens(row.tokens), bounded_micros(row.cost_micros))


def add_to_totals(changes: Mapping[str, Amounts], times: Mapping[str, datetime]) -> None:
    """Add amounts to totals by key; ``times`` has the start of each total's period. Call it inside ``count``'s
    transaction.
    """
    known = {total.key: total for total in AIUsageTotal.objects.filter(key__in=changes)}
    new = []
    for key in sorted(changes):
        total = known.get(key)
        before = Amounts(total.requests, total.tokens, total.micros) if total else Amounts()
        if total and total.starts_at != times[key]:
            before = Amounts()
        after = before + changes[key]
        new.append(AIUsageTotal(key=key, starts_at=times[key], requests=after.requests, tokens=after.tokens,
                                micros=after.micros))  # fmt: skip
    features = connections[router.db_for_write(AIUsageTotal)].features
    unique: dict[str, Any] = {"unique_fields": ["key"]} if features.supports_update_conflicts_with_target else {}
    AIUsageTotal.objects.bulk_create(
        new, update_conflicts=True, update_fields=["starts_at", "requests", "tokens", "micros"], **unique
    )


def subject_of(row: AIWorkflowRun) -> Subject:
    return Subject(row.user_id, str(row.course_id) if row.course_id else None, row.profile_id, row.provider or None)


def recount(row: AIWorkflowRun) -> None:
    """Store a run that ended after it was marked as lost and counted; adjust the totals by the difference."""
    with counting_locked():
        counted = AIWorkflowRun.objects.filter(pk=row.pk).first()
        if counted is None:  # purged meanwhile
            logger.warning("ledger.run.purged run_id=%s", row.run_id)
            return
        row.is_counted, row.user_id = True, counted.user_id  # the user may have been retired meanwhile
        row.save()
        roll_up([row], removed=[counted])
        after, before = _amounts(row), _amounts(counted)
        difference = Amounts(
            after.requests - before.requests, after.tokens - before.tokens, after.micros - before.micros
        )
        times = _current_totals(row, timezone.now())
        add_to_totals(dict.fromkeys(times, difference), times)


def forget_person(user_id: int) -> None:
    """Remove a person from the ledger rows, the totals, the reports and the limits."""
    with counting_locked():  # a concurrent count finishes before, or does not see the person
        AIWorkflowRun.objects.filter(user_id=user_id).update(user=None)
        own = Subject(user_id=user_id).key
        AIUsageTotal.objects.filter(Q(key__startswith=f"{own}/") | Q(key__startswith=f"{own}|")).delete()
        AIUsageByPerson.objects.filter(user_id=user_id).delete()
        AILimit.objects.filter(user_id=user_id).delete()


def _younger_than(age: timedelta) -> Q:
    return Q(outcome=AIWorkflowRun.Outcome.REFUSED, calls=0, created_at__gt=timezone.now() - age)


def _may_change() -> Q:
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
    if known is None or not _count_refusals(known, 1):
        return None
    if row.pk is not None:
        AIWorkflowRun.objects.filter(pk=row.pk).delete()
        row.pk = None
        row._state.adding = True
    return known


def undo_merge(known: int) -> None:
    """Undo a merge, because another provider is called after the refusal."""
    _count_refusals(known, -1)


def _count_refusals(known: int, number: int) -> bool:
    return bool(AIWorkflowRun.objects.filter(pk=known, is_counted=False).update(times=F("times") + number))


def notify_reached(limits: Iterable[Limit], used: LimitUsage) -> None:
    """Send ``limit_reached`` for newly reached thresholds. Queries the database only if there may be a new one."""
    for limit in limits:
        if limit.per == AILimit.Per.PERSON:
            continue
        amounts = used.of(limit)
        for kind, threshold in _reached(limit, amounts):
            if _is_first(limit, f"reached:{threshold}:{kind}:{limit.key}"):
                _send(limit, kind, threshold, amounts.of(kind))


def _reached(limit: Limit, amounts: Amounts) -> Iterator[tuple[LimitKind, int]]:
    for kind, allowed in limit.allowed.items():
        percent = 100 * amounts.of(kind)
        # A limit of 0 is deliberate and needs no warning.
        if allowed and percent >= allowed * THRESHOLDS[0]:
            yield from ((kind, threshold) for threshold in THRESHOLDS if percent >= allowed * threshold)


def _is_first(limit: Limit, key: str) -> bool:
    """Ask this process, the cache and the database, in this order. Only the database never forgets."""
    name = hashlib.sha1(f"{key}:{limit.starts_at.timestamp()}".encode(), usedforsecurity=False).hexdigest()
    if name in _notified:
        return False
    if len(_notified) >= MAX_REMEMBERED:
        _notified.clear()
    _notified.add(name)
    try:
        return _is_new_in_cache(limit, name) and _is_new_in_database(limit, key)
    except DatabaseError as error:
        # The current run must not fail.
        logger.warning("limit.reached.unsaid subject=%s error=%s", limit.subject.key, type(error).__name__)
        return False


def _is_new_in_cache(limit: Limit, name: str) -> bool:
    seconds = max((limit.resets_at - timezone.now()).total_seconds(), 1)
    with tolerated_outage():
        return bool(cache.add(f"openedx_ai_extensions.{name}", 1, timeout=seconds))
    return True


def _is_new_in_database(limit: Limit, key: str) -> bool:
    """Store a marker row among the totals. Of several concurrent processes one succeeds."""
    marks = AIUsageTotal.objects
    if marks.filter(key=key, starts_at__lt=limit.starts_at).update(starts_at=limit.starts_at):
        return True
    try:
        # Write first: SQLite refuses a transaction that reads, waits for another's write and then writes.
        with transaction.atomic(using=router.db_for_write(AIUsageTotal)):
            marks.create(key=key, starts_at=limit.starts_at)
    except IntegrityError:
        return False
    return True


def _send(limit: Limit, kind: LimitKind, threshold: int, used: int) -> None:
    allowed = limit.allowed[kind]
    logger.warning(
        "limit.reached threshold=%s limit=%s/%s/%s subject=%s used=%s allowed=%s resets_at=%s",
        threshold, limit.per, limit.period, kind, limit.subject.key, used, allowed, limit.resets_at.isoformat(),
    )  # fmt: skip
    # Django logs exceptions of receivers.
    limit_reached.send_robust(sender=AILimit, limit=limit, kind=kind, threshold=threshold, used=used, allowed=allowed)
