"""Which scope serves a context: two small caches over one query, correct across threads and processes.

The first cache holds the candidates of a course and slot, the second the winner for a location among them. Both are
keyed by the generation token and a time bucket; both hold immutable data.
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

# Of several candidates the one with the greatest of these wins, the first that differs deciding.
ORDER = ("specificity_index", "id")


class Criterion(enum.StrEnum):
    """What a scope must be to be a candidate."""

    ENABLED = "enabled"
    SERVICE = "service"
    SLOT = "slot"
    COURSE = "course"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Row]):
    """A scope that serves a course and slot, at the locations its pattern matches."""

    location_regex: str | None
    row: Row


Load = Callable[[str, str, str], tuple[Candidate[Row], ...]]


def first_match(candidates: Iterable[Candidate[Row]], location_id: str | None) -> Candidate[Row] | None:
    """The winner for a location: the first that matches. Everything that decides or explains a resolution ends here."""
    for candidate in candidates:
        if matches(candidate.location_regex, location_id):
            return candidate
    return None


class Resolver(Generic[Row]):
    """Finds the winner.

    Args:
        load: asks the database for the candidates of ``(course_id, ui_slot_selector_id, service_variant)``, the most
            specific first. The rows it returns are shared by threads: nobody may change them.
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
        """Forget everything cached in this process."""
        self._cached_candidates.cache_clear()
        self._cached_winner.cache_clear()
