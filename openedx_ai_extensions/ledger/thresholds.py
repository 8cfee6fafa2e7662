"""Warns operators before a limit is used up: at 80 % and at 100 %."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator

from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, router, transaction
from django.utils import timezone

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.cache import tolerated_outage
from openedx_ai_extensions.ledger.counters import LimitUsage
from openedx_ai_extensions.ledger.limits import Amounts, Limit, LimitKind
from openedx_ai_extensions.ledger.models import AILimit, AIUsageTotal
from openedx_ai_extensions.ledger.signals import limit_reached

logger = logging.getLogger(__name__)

THRESHOLDS = (80, 100)  # per cent
MAX_REMEMBERED = 10_000
# Thresholds that this process has notified: most runs of a used-up limit skip the cache and the database.
_notified: set[str] = set()
conf.when_changed(_notified.clear)


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
