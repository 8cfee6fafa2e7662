"""The conditions for a scope to answer, and their order: pattern, course, slot and service."""

from __future__ import annotations

import enum
import logging
from collections.abc import Set
from functools import lru_cache
from typing import Any, TypeVar

import regex
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey, UsageKey

logger = logging.getLogger(__name__)

MATCH_TIMEOUT = 0.05  # seconds; matching a usage key takes microseconds, unless the pattern is hostile
MAX_LENGTH = 1000
MAX_NESTED_GROUPS = 50  # compiling is recursive: how deep it may go depends on what calls it
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


class NonMatchReason(enum.StrEnum):
    """Why a scope does not answer: a condition that is not met, or the reason why another one takes precedence."""

    NOT_ENABLED = "not_enabled"
    OTHER_SERVICE = "other_service"
    OTHER_SLOT = "other_slot"
    OTHER_COURSE = "other_course"
    ONLY_IN_COURSES = "only_in_courses"
    NO_MATCH = "no_match"
    NO_LOCATION = "no_location"
    TOO_SLOW = "too_slow"
    INVALID = "invalid"
    LESS_SPECIFIC = "less_specific"
    OLDER = "older"


def matches(pattern: str | None, location_id: str | None) -> bool:
    """Does a location match, with ``re.search`` semantics? An empty pattern matches everything; a missing location
    matches no other pattern.

    A pattern that does not compile any more, or takes too long, matches nothing.
    """
    return mismatch(pattern, location_id) is None


def mismatch(pattern: str | None, location_id: str | None) -> NonMatchReason | None:
    """Why a location does not match, see ``matches``; None if it does."""
    if not pattern:
        return None
    if not location_id:
        return NonMatchReason.NO_LOCATION
    try:
        is_match = _compiled(pattern).search(location_id, timeout=MATCH_TIMEOUT) is not None
    except TimeoutError:
        logger.warning("scope.regex.timeout length=%s", len(pattern))
        return NonMatchReason.TOO_SLOW
    except (regex.error, RecursionError):
        logger.warning("scope.regex.invalid length=%s", len(pattern))
        return NonMatchReason.INVALID
    return None if is_match else NonMatchReason.NO_MATCH


def course_of(location_id: str | None) -> str:
    """The course of a location; empty if it is not a valid usage key."""
    try:
        return str(UsageKey.from_string(location_id).course_key) if location_id else ""
    except InvalidKeyError:
        return ""


def course_criterion(course_id: str) -> models.Q:
    """Matches the scopes of this course and of every course."""
    courses: list[Any] = [CourseKeyField.Empty]
    if course_id:
        try:
            courses.append(CourseKey.from_string(course_id))
        except InvalidKeyError:
            return models.Q(pk__in=[])
    return models.Q(course_id__in=courses)


def criteria(course_id: str, slot: str, variant: str) -> dict[NonMatchReason, models.Q]:
    """The conditions for a candidate, by the reason why a scope is none. ``is_exact`` must be checked too."""
    # A scope of a course fails OTHER_COURSE already, so ONLY_IN_COURSES need not exclude it.
    is_outside = models.Q(outside_courses=True) | ~models.Q(course_id=CourseKeyField.Empty)
    return {
        **({} if course_id else {NonMatchReason.ONLY_IN_COURSES: is_outside}),
        NonMatchReason.NOT_ENABLED: models.Q(enabled=True),
        NonMatchReason.OTHER_SERVICE: models.Q(service_variant=variant),
        NonMatchReason.OTHER_SLOT: models.Q(ui_slot_selector_id=slot),
        NonMatchReason.OTHER_COURSE: course_criterion(course_id),
    }


def in_order(scopes: models.QuerySet[Scope]) -> models.QuerySet[Scope]:
    """With their profiles, ordered by precedence."""
    return scopes.select_related("profile").order_by(*(f"-{name}" for name in ORDER))


def is_exact(scope: Any, course_id: str, slots: Set[str] | None) -> bool:
    """Compare identifiers exactly: some databases ignore case or trailing spaces."""
    is_course = not scope.course_id or str(scope.course_id) == course_id
    return is_course and (slots is None or scope.ui_slot_selector_id in slots)
