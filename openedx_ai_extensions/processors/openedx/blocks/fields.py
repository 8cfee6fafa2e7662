"""Reading a block's raw fields, which may be anything."""

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
    """A field that is text, empty when it is not."""
    value = block.fields.get(name)
    return value if isinstance(value, str) else ""


def structure(block: Block, name: str, omissions: set[OmissionReason]) -> Any:
    """A field that is a structure, also when an export wrote it as JSON; None when it is neither."""
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
    """The items of a list, as many as make sense; nothing when it is no list."""
    return islice(value if isinstance(value, (list, tuple)) else (), _MAX_ITEMS)


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a list."""
    return (item for item in items(value) if isinstance(item, Mapping))


def text_in(mapping: Any, name: str) -> str:
    """A text in an object, empty when there is none."""
    value = mapping.get(name) if isinstance(mapping, Mapping) else None
    return value if isinstance(value, str) else ""


def titled(kind: str, title: str, *texts: str) -> str:
    """Texts under a line that says what they are; empty when there is nothing to say."""
    title = squeeze(title)
    if title.casefold() == kind.casefold():
        title = ""
    if not title and not any(texts):
        return ""
    return lines((f"{kind}: {title}" if title else f"{kind}:", *texts))


def lines(texts: Iterable[str]) -> str:
    """Those that are not empty, one below the other."""
    return "\n".join(filter(None, texts))


def joined(separator: str, *texts: str) -> str:
    """Those that are not empty, in one line."""
    return separator.join(filter(None, map(squeeze, texts)))
