"""Texts that can be stored and sent on."""

from __future__ import annotations

import re
from typing import Any

# Half of a character outside of the basic plane: what a browser sends when a text was cut in the middle of an emoji.
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def mended(value: Any) -> Any:
    """A JSON value whose texts are all valid Unicode: each half of a character becomes U+FFFD.

    Raises:
        RecursionError: the value is nested beyond reason.
    """
    if isinstance(value, str):
        return value if value.isascii() else _HALF_CHARACTER.sub("\ufffd", value)
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mended(item) for item in value]
    return value
