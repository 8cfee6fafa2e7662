"""Location patterns: checked when they are saved, matched with a time limit."""

from __future__ import annotations

import enum
import logging
from functools import lru_cache

import regex
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import UsageKey

logger = logging.getLogger(__name__)

MATCH_TIMEOUT = 0.05  # seconds; matching a usage key takes microseconds, unless the pattern is hostile
MAX_LENGTH = 1000


def validate_pattern(pattern: str) -> None:
    """Raise ValidationError, with the position, if the pattern does not compile."""
    try:
        regex.compile(pattern)
    except regex.error as error:
        position = "" if error.pos is None else _(" (at character {position})").format(position=error.pos + 1)
        raise ValidationError(
            _("This is not a valid regular expression: {reason}{position}.").format(
                reason=error.msg, position=position
            ),
            code="invalid_regex",
        ) from None


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
    except regex.error:
        logger.warning("scope.regex.invalid length=%s", len(pattern))
        return Match.INVALID


def course_of(location_id: str | None) -> str:
    """The course of a location; empty if it is not a valid usage key."""
    try:
        return str(UsageKey.from_string(location_id).course_key) if location_id else ""
    except InvalidKeyError:
        return ""
