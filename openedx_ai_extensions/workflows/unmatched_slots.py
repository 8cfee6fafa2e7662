"""The slots that widgets requested and that no scope serves, kept in the shared cache for people who configure scopes.

The data is a hint: it is limited, it expires, and concurrent writes may be lost. It contains no personal data.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from openedx_ai_extensions.core.cache import shared_cache, tolerated_outage

CACHE_KEY = "unserved-slots"
MAX_SLOTS = 500
KEPT_SECONDS = 30 * 24 * 3600  # seconds
REWRITE_SECONDS = 3600.0  # seconds until a process stores the same slot again
# Clients may send anything: names that are too long for a scope are ignored.
MAX_NAME_CHARS = 255

# Limits the cost of clients that send made-up names.
MAX_WRITES_PER_MINUTE = 30
MAX_PER_PERSON = 10  # slots that one person's requests add to the list in REWRITE_SECONDS
MAX_PERSONS = 2_000  # whose slots are counted

_written: dict[tuple[str, str, str], float] = {}
_write_times: deque[float] = deque(maxlen=MAX_WRITES_PER_MINUTE)
_written_for: dict[int | None, deque[float]] = {}


@dataclass(frozen=True, slots=True)
class UnmatchedSlot:
    """A requested slot; ``course_id`` is empty outside of courses."""

    slot: str
    variant: str
    course_id: str
    asked_at: datetime


def record(
    slot: str | None, variant: str, course_id: str | None, person: int | None, may_see: Callable[[], bool]
) -> None:
    """Record that a widget requested this slot and no scope answered. Rarely uses the cache.

    Args:
        slot: name of the slot.
        variant: the service.
        course_id: the course; None outside of courses.
        person: primary key of the person who requested it.
        may_see: may this person see the place? Called only if the slot would be recorded.
    """
    key = (slot or "", variant, course_id or "")
    now = time.monotonic()
    if not slot or max(map(len, key)) > MAX_NAME_CHARS or now - _written.get(key, -REWRITE_SECONDS) < REWRITE_SECONDS:
        return
    if len(_write_times) == MAX_WRITES_PER_MINUTE and now - _write_times[0] < 60:
        return
    times = _written_for.get(person) or deque(maxlen=MAX_PER_PERSON)
    if (len(times) == MAX_PER_PERSON and now - times[0] < REWRITE_SECONDS) or not may_see():
        return
    if len(_written_for) >= MAX_PERSONS:
        _written_for.clear()
    times.append(now)
    _written_for[person] = times
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
    """The recorded slots, the latest first. Some of them may be served by now."""
    oldest = time.time() - KEPT_SECONDS
    found = [UnmatchedSlot(*key, datetime.fromtimestamp(when, UTC)) for key, when in _read().items() if when > oldest]
    return sorted(found, key=lambda entry: entry.asked_at, reverse=True)


def forget() -> None:
    """Delete all records, in this process and in the cache."""
    _written.clear()
    _write_times.clear()
    _written_for.clear()
    shared_cache().delete(CACHE_KEY)


def _read() -> Mapping[tuple[str, str, str], float]:
    with tolerated_outage("scope.cache.down"):
        return shared_cache().get(CACHE_KEY) or {}
    return {}
