"""The slots that widgets asked for and nobody serves: remembered in the shared cache, for those who set up scopes.

A hint, not a record: it is bounded, it forgets, and of two processes that write at once one may win. It holds nothing
about people.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from openedx_ai_extensions.core.cache import shared_cache, tolerated_outage

CACHE_KEY = "unserved-slots"
MAX_SLOTS = 500
KEPT_SECONDS = 30 * 24 * 3600  # seconds
REWRITE_SECONDS = 3600.0  # seconds until a process writes the same again
# A browser may ask for anything: names longer than a scope can have are nobody's.
MAX_NAME_CHARS = 255

# So many new ones a minute does a process write: whoever invents names costs no more than that.
MAX_WRITES_PER_MINUTE = 30

_written: dict[tuple[str, str, str], float] = {}
_write_times: deque[float] = deque(maxlen=MAX_WRITES_PER_MINUTE)


@dataclass(frozen=True, slots=True)
class UnmatchedSlot:
    """A slot that was asked for; ``course_id`` is empty outside of courses."""

    slot: str
    variant: str
    course_id: str
    asked_at: datetime


def record(slot: str | None, variant: str, course_id: str | None) -> None:
    """A widget asked for this slot and got nothing. No database, and mostly no cache."""
    key = (slot or "", variant, course_id or "")
    now = time.monotonic()
    if not slot or max(map(len, key)) > MAX_NAME_CHARS or now - _written.get(key, -REWRITE_SECONDS) < REWRITE_SECONDS:
        return
    if len(_write_times) == MAX_WRITES_PER_MINUTE and now - _write_times[0] < 60:
        return
    _write_times.append(now)
    if len(_written) >= MAX_SLOTS:
        _written.clear()
    _written[key] = now
    known = dict(_read())
    known[key] = time.time()
    newest = sorted(known.items(), key=lambda item: item[1])[-MAX_SLOTS:]
    with tolerated_outage():
        shared_cache().set(CACHE_KEY, dict(newest), timeout=KEPT_SECONDS)


def unmatched() -> list[UnmatchedSlot]:
    """What is remembered, the latest first. Some of it may be served by now."""
    oldest = time.time() - KEPT_SECONDS
    found = [UnmatchedSlot(*key, datetime.fromtimestamp(when, UTC)) for key, when in _read().items() if when > oldest]
    return sorted(found, key=lambda entry: entry.asked_at, reverse=True)


def forget() -> None:
    """Begin anew, in this process and in the cache."""
    _written.clear()
    _write_times.clear()
    shared_cache().delete(CACHE_KEY)


def _read() -> Mapping[tuple[str, str, str], float]:
    with tolerated_outage("scope.cache.down"):
        return shared_cache().get(CACHE_KEY) or {}
    return {}
