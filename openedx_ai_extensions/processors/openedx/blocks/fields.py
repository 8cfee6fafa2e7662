"""Reads the raw fields of a block, which may contain anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.parsing import MAX_MARKUP_CHARS, squeeze

_MAX_ITEMS = 500


def string(block: Block, name: str) -> str:
    """A text field; empty if it is not a text."""
    value = block.fields.get(name)
    return value if isinstance(value, str) else ""


def structure(block: Block, name: str, omissions: set[OmissionReason]) -> Any:
    """A structured field, also if an export contains it as JSON; None otherwise."""
    value = block.fields.get(name)
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        if len(value) > MAX_MARKUP_CHARS:
            raise ValueError("too long")
        return json.loads(value)
    except (ValueError, RecursionError):
        omissions.add(OmissionReason.BROKEN)
        return None


def items(value: Any) -> Iterator[Any]:
    """The items of a list, up to a limit; none if it is not a list."""
    return islice(value if isinstance(value, (list, tuple)) else (), _MAX_ITEMS)


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a list."""
    return (item for item in items(value) if isinstance(item, Mapping))


def text_in(mapping: Any, name: str) -> str:
    """A text in an object; empty if there is none."""
    value = mapping.get(name) if isinstance(mapping, Mapping) else None
    return value if isinstance(value, str) else ""


def titled(kind: str, title: str, *texts: str) -> str:
    """Texts under a line with their kind and title; empty if there is no content."""
    title = squeeze(title)
    if title.casefold() == kind.casefold():
        title = ""
    if not title and not any(texts):
        return ""
    return lines((f"{kind}: {title}" if title else f"{kind}:", *texts))


def lines(texts: Iterable[str]) -> str:
    """The texts that are not empty, one per line."""
    return "\n".join(filter(None, texts))


def joined(separator: str, *texts: str) -> str:
    """The texts that are not empty, in one line."""
    return separator.join(filter(None, map(squeeze, texts)))
