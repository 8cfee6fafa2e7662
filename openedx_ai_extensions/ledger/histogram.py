"""How long things took, as counts in fixed buckets: they add up over days and courses, and give percentiles."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

# Upper edges in milliseconds, each √2 of the one before: from a tenth of a second to five minutes. The last bucket has
# no edge. A percentile is off by less than a bucket, that is 41 %, and mostly by less than half of that.
EDGES_MS = tuple(round(100 * math.sqrt(2) ** step) for step in range(24))
BUCKETS = len(EDGES_MS) + 1


def bucket(milliseconds: int) -> int:
    """The number of the bucket that a time falls into."""
    return bisect_left(EDGES_MS, milliseconds)


def percentile(counts: Sequence[int], percent: int) -> int | None:
    """The time in milliseconds that this many of a hundred took at most; None when there is nothing.

    Within a bucket times are taken to be spread evenly; beyond the last edge nothing is known but the edge.
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
