"""Finds the scope for a context: two small caches over one query, correct across threads and processes.

The first cache contains the candidates of a course and slot, the second the winner for a location. Both are keyed by
the cache version and a time bucket, and contain immutable data.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from openedx_ai_extensions.core import cache_version, conf
from openedx_ai_extensions.workflows.matching import matches

Row = TypeVar("Row")

# Candidates are compared by these fields, in this order; the greatest value wins.
ORDER = ("specificity_index", "id")


class Criterion(enum.StrEnum):
    """The conditions that a candidate must meet."""

    ENABLED = "enabled"
    SERVICE = "service"
    SLOT = "slot"
    COURSE = "course"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Row]):
    """A scope for a course and slot; it serves the locations that its pattern matches."""

    location_regex: str | None
    row: Row


Load = Callable[[str, str, str], tuple[Candidate[Row], ...]]


def first_match(candidates: Iterable[Candidate[Row]], location_id: str | None) -> Candidate[Row] | None:
    """The winner for a location: the first candidate that matches. Both resolution and its explanation use this
    function.
    """
    for candidate in candidates:
        if matches(candidate.location_regex, location_id):
            return candidate
    return None


class Resolver(Generic[Row]):
    """Finds the winner.

    Args:
        load: queries the candidates of ``(course_id, ui_slot_selector_id, service_variant)``, the most specific first.
            Threads share the returned rows, so they must not be changed.
    """

    def __init__(self, load: Load[Row]) -> None:
        def candidates(
            course_id: str, slot: str, variant: str, _generation: str | None, _bucket: float
        ) -> tuple[Candidate[Row], ...]:
            return load(course_id, slot, variant)

        cached_candidates = lru_cache(maxsize=128)(candidates)

        def winner(
            course_id: str, location_id: str | None, slot: str, variant: str, token: str | None, bucket: float
        ) -> Row | None:
            find = candidates if token is None else cached_candidates
            found = first_match(find(course_id, slot, variant, token, bucket), location_id)
            return None if found is None else found.row

        self._cached_candidates = cached_candidates
        self._cached_winner = lru_cache(maxsize=128)(winner)
        self._winner = winner

    def __call__(self, course_id: str, location_id: str | None, slot: str) -> Row | None:
        """The row of the most specific enabled scope of this service, or None."""
        token = cache_version.current()
        find = self._winner if token is None else self._cached_winner
        bucket = time.monotonic() // conf.get("AI_EXTENSIONS_RESOLUTION_MAX_AGE")
        return find(course_id, location_id, slot, conf.service_variant(), token, bucket)

    def clear(self) -> None:
        """Clear the caches of this process."""
        self._cached_candidates.cache_clear()
        self._cached_winner.cache_clear()
