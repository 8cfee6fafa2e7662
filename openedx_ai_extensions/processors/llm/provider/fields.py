"""Reading what providers and LiteLLM send: as dictionaries or objects, with fields missing, null or of another type."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.ledger.bounds import MAX_TOKENS


def field(item: Any, name: str) -> Any:
    """A field of a dictionary or an object; None where it is missing."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def items(value: Any) -> Iterator[Any]:
    """The members of a list; nothing for anything else."""
    return iter(value) if isinstance(value, list | tuple) else iter(())


def text(value: Any) -> str:
    """A text; empty for anything else."""
    return value if isinstance(value, str) else ""


def arguments(value: Any) -> str:
    """A tool call's arguments, which some servers send as an object, as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def count(value: Any) -> int | None:
    """A number of tokens; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_TOKENS:
        return None
    return int(value)


def without_nothing(counts: Mapping[str, int | None]) -> dict[str, int]:
    """The counts that are known."""
    return {name: number for name, number in counts.items() if number is not None}
