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

KEY = "unserved-slots"
MOST = 500
KEPT = 30 * 24 * 3600  # seconds
AGAIN = 3600.0  # seconds until a process writes the same again
# A browser may ask for anything: names longer than a scope can have are nobody's.
LONGEST = 255

# So many new ones a minute does a process write: whoever invents names costs no more than that.
MOST_A_MINUTE = 30

_written: dict[tuple[str, str, str], float] = {}
_times: deque[float] = deque(maxlen=MOST_A_MINUTE)


@dataclass(frozen=True, slots=True)
class Unserved:
    """A slot that was asked for; ``course_id`` is empty outside of courses."""

    slot: str
    variant: str
    course_id: str
    asked_at: datetime


def note(slot: str | None, variant: str, course_id: str | None) -> None:
    """A widget asked for this slot and got nothing. No database, and mostly no cache."""
    key = (slot or "", variant, course_id or "")
    now = time.monotonic()
    if not slot or max(map(len, key)) > LONGEST or now - _written.get(key, -AGAIN) < AGAIN:
        return
    if len(_times) == MOST_A_MINUTE and now - _times[0] < 60:
        return
    _times.append(now)
    if len(_written) >= MOST:
        _written.clear()
    _written[key] = now
    known = dict(_read())
    known[key] = time.time()
    newest = sorted(known.items(), key=lambda item: item[1])[-MOST:]
    with tolerated_outage():
        shared_cache().set(KEY, dict(newest), timeout=KEPT)


def unserved() -> list[Unserved]:
    """What is remembered, the latest first. Some of it may be served by now."""
    oldest = time.time() - KEPT
    found = [Unserved(*key, datetime.fromtimestamp(when, UTC)) for key, when in _read().items() if when > oldest]
    return sorted(found, key=lambda entry: entry.asked_at, reverse=True)


def forget() -> None:
    """Begin anew, in this process and in the cache."""
    _written.clear()
    _times.clear()
    shared_cache().delete(KEY)


def _read() -> Mapping[tuple[str, str, str], float]:
    with tolerated_outage("scope.cache.down"):
        return shared_cache().get(KEY) or {}
    return {}
