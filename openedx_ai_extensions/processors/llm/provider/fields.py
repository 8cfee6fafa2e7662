"""Reads data of providers and LiteLLM: dictionaries or objects, with fields that may be missing, null or of a wrong
type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.ledger.prices import MAX_TOKENS

MAX_IDENTIFIER_CHARS = 4_096  # LiteLLM doubles the length of some


def field(item: Any, name: str) -> Any:
    """A field of a dictionary or an object; None if it is missing."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def items(value: Any) -> Iterator[Any]:
    """The members of a list; empty for any other value."""
    return iter(value) if isinstance(value, list | tuple) else iter(())


def text(value: Any) -> str:
    """A text; empty for any other value."""
    return value if isinstance(value, str) else ""


def identifier(value: Any) -> str:
    """A provider's name for something, which goes back to it later; empty for one that cannot be kept or sent."""
    name = text(value)
    return name if len(name) <= MAX_IDENTIFIER_CHARS and name.isascii() and name.isprintable() else ""


def arguments(value: Any) -> str:
    """A tool call's arguments as JSON text; some servers send an object."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def count(value: Any) -> int | None:
    """A number of tokens; None for an invalid value."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_TOKENS:
        return None
    return int(value)


def without_nothing(counts: Mapping[str, int | None]) -> dict[str, int]:
    """The counts without missing ones."""
    return {name: number for name, number in counts.items() if number is not None}
