"""Finds the scope for a context: two small caches over one query, correct across threads and processes.

The first cache contains the candidates of a course and slot, the second the winner for a location. Both are keyed by
the cache version and a time bucket, and contain immutable data.
"""

from __future__ import annotations

import enum
import logging
import time
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import regex
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import cache, conf

logger = logging.getLogger(__name__)

MATCH_TIMEOUT = 0.05  # seconds; matching a usage key takes microseconds, unless the pattern is hostile
MAX_LENGTH = 1000
MAX_NESTED_GROUPS = 50  # compiling is recursive: how deep it may go depends on what calls it
Row = TypeVar("Row")
Scope = TypeVar("Scope", bound=models.Model)
# Candidates are compared by these fields, in this order; the greatest value wins.
ORDER = ("specificity_index", "id")


_BRACKETS = regex.compile(r"\\.|[][()]", regex.DOTALL)


def validate_pattern(pattern: str) -> None:
    """Raise ValidationError, with the position, if the pattern does not compile, or groups are nested too deep."""
    too_deep = ValidationError(
        _("Groups are nested more than {limit} deep.").format(limit=MAX_NESTED_GROUPS), code="invalid_regex"
    )
    if _nested_groups(pattern) > MAX_NESTED_GROUPS:
        raise too_deep
    try:
        regex.compile(pattern)
    except RecursionError:
        raise too_deep from None
    except regex.error as error:
        position = "" if error.pos is None else _(" (at character {position})").format(position=error.pos + 1)
        raise ValidationError(
            _("This is not a valid regular expression: {reason}{position}.").format(
                reason=error.msg, position=position
            ),
            code="invalid_regex",
        ) from None


def _nested_groups(pattern: str) -> int:
    """How deep groups and sets of characters are nested."""
    deepest = groups = sets = 0
    sets_nest = "V1" in pattern
    for bracket in _BRACKETS.findall(pattern):
        if bracket == "[" and (sets_nest or not sets):
            sets += 1
        elif bracket == "]" and sets:
            sets -= 1
        elif not sets:
            groups += {"(": 1, ")": -1}.get(bracket, 0)
        deepest = max(deepest, groups + sets)
    return deepest


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> regex.Pattern:
    return regex.compile(pattern)


class Match(enum.StrEnum):
    """The result of matching a location with a pattern."""

    YES = "yes"
    NO = "no"
    NO_LOCATION = "no_location"
    TOO_SLOW = "too_slow"
    INVALID = "invalid"


def matches(pattern: str | None, location_id: str | None) -> bool:
    """Does a location match, with ``re.search`` semantics? An empty pattern matches everything; a missing location
    matches no other pattern.

    A pattern that does not compile any more, or takes too long, matches nothing.
    """
    return compare(pattern, location_id) is Match.YES


def compare(pattern: str | None, location_id: str | None) -> Match:
    """As ``matches``, with the reason for a mismatch."""
    if not pattern:
        return Match.YES
    if not location_id:
        return Match.NO_LOCATION
    try:
        return Match.YES if _compiled(pattern).search(location_id, timeout=MATCH_TIMEOUT) is not None else Match.NO
    except TimeoutError:
        logger.warning("scope.regex.timeout length=%s", len(pattern))
        return Match.TOO_SLOW
    except (regex.error, RecursionError):
        logger.warning("scope.regex.invalid length=%s", len(pattern))
        return Match.INVALID


def course_of(location_id: str | None) -> str:
    """The course of a location; empty if it is not a valid usage key."""
    try:
        return str(UsageKey.from_string(location_id).course_key) if location_id else ""
    except InvalidKeyError:
        return ""


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
            course_id: str, slot: str, variant: str, _version: str | None, _bucket: float
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
        token = cache.current_version()
        find = self._winner if token is None else self._cached_winner
        bucket = time.monotonic() // conf.get("AI_EXTENSIONS_RESOLUTION_MAX_AGE")
        return find(course_id, location_id, slot, conf.service_variant(), token, bucket)

    def clear(self) -> None:
        """Clear the caches of this process."""
        self._cached_candidates.cache_clear()
        self._cached_winner.cache_clear()


def course_criterion(course_id: str) -> models.Q:
    """Matches the scopes of this course and of every course."""
    courses: list[Any] = [CourseKeyField.Empty]
    if course_id:
        try:
            courses.append(CourseKey.from_string(course_id))
        except InvalidKeyError:
            return models.Q(pk__in=[])
    return models.Q(course_id__in=courses)


def criteria(course_id: str, slot: str, variant: str) -> dict[Criterion, models.Q]:
    """The conditions for a candidate, by criterion. ``is_exact`` must be checked too."""
    # A scope of a course fails the COURSE criterion already, so OUTSIDE need not exclude it.
    is_outside = models.Q(outside_courses=True) | ~models.Q(course_id=CourseKeyField.Empty)
    return {
        **({} if course_id else {Criterion.OUTSIDE: is_outside}),
        Criterion.ENABLED: models.Q(enabled=True),
        Criterion.SERVICE: models.Q(service_variant=variant),
        Criterion.SLOT: models.Q(ui_slot_selector_id=slot),
        Criterion.COURSE: course_criterion(course_id),
    }


def in_order(scopes: models.QuerySet[Scope]) -> models.QuerySet[Scope]:
    """With their profiles, ordered by precedence."""
    return scopes.select_related("profile").order_by(*(f"-{name}" for name in ORDER))


def is_exact(scope: Any, course_id: str, slots: Set[str] | None) -> bool:
    """Compare identifiers exactly: some databases ignore case or trailing spaces."""
    is_course = not scope.course_id or str(scope.course_id) == course_id
    return is_course and (slots is None or scope.ui_slot_selector_id in slots)
