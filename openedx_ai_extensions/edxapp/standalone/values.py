"""Field values as OLX writes them: everything is a string, some of it JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from openedx_ai_extensions.edxapp.safe_json import parse_json

NEVER = datetime.max.replace(tzinfo=UTC)

_ABSENT = frozenset({"", "null", "none"})
_NO = _ABSENT | {"false"}
_PERIOD = re.compile(r"(\d{1,9})\s*(day|hour|minute|second)s?\b")


def as_text(value: Any) -> str:
    """A JSON value as an attribute of OLX would write it.

    Raises:
        ValueError: nested too deep.
    """
    try:
        return value if isinstance(value, str) else json.dumps(value)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def plain(value: Any) -> str:
    """A value as text, without the quotes that older exports put around it."""
    text = "" if value is None else str(value).strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == '"' else text


def flag(value: Any) -> bool:
    """Is it set? Anything but absent or false is, so that a restriction written oddly still restricts."""
    return plain(value).lower() not in _NO


def has_groups(value: Any) -> bool:
    """Does ``group_access`` restrict anything? A value that cannot be read does."""
    if plain(value).lower() in _NO:
        return False
    try:
        groups = parse_json(value) if isinstance(value, str) else value
    except ValueError:
        return True
    return any(groups.values()) if isinstance(groups, dict) else bool(groups)


def moment(value: Any) -> datetime | None:
    """A point in time, UTC unless it says otherwise; None when absent.

    Raises:
        ValueError: it is there but is not a date.
    """
    text = plain(value)
    if text.lower() in _ABSENT:
        return None
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def period(value: Any) -> timedelta:
    """A length of time such as ``2 days 5 hours``; zero when absent.

    Raises:
        ValueError: it is there but is no such length.
    """
    text = plain(value).lower()
    if text in _ABSENT:
        return timedelta()
    parts = _PERIOD.findall(text)
    if not parts:
        raise ValueError("not a length of time")
    return sum((timedelta(**{f"{unit}s": int(number)}) for number, unit in parts), timedelta())
