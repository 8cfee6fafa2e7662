"""Durations as counts in fixed buckets, which can be added up over days and courses and yield percentiles."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

# Upper edges in milliseconds, each √2 times the previous one, from 0.1 seconds to 5 minutes. The last bucket has no
# upper edge. A percentile is off by less than one bucket (41 %), usually by less than half of that.
EDGES_MS = tuple(round(100 * math.sqrt(2) ** step) for step in range(24))
BUCKETS = len(EDGES_MS) + 1


def bucket(milliseconds: int) -> int:
    """The index of the bucket for a duration."""
    return bisect_left(EDGES_MS, milliseconds)


def percentile(counts: Sequence[int], percent: int) -> int | None:
    """The duration in milliseconds that ``percent`` per cent of the runs did not exceed; None without runs.

    Durations are assumed to be spread evenly within a bucket; beyond the last edge, that edge is returned.
    """
    total = sum(counts)
    if not total:
        return None
    wanted, before = total * percent / 100, 0
    for number, count in enumerate(counts):
        if count and before + count >= wanted:
            low = EDGES_MS[number - 1] if number else 0
            high = EDGES_MS[min(number, BUCKETS - 2)]
            return round(low + (high - low) * (wanted - before) / count) if high > low else low
        before += count
    return EDGES_MS[-1]
