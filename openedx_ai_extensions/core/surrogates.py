"""Texts that can be encoded: JSON escapes can name halves of a character, which no encoding of Unicode has."""

from __future__ import annotations

import re
from typing import Any

HALF_CHARACTERS = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def replace_surrogates(value: Any) -> Any:
    """A JSON value whose texts are all valid Unicode: each half of a character becomes U+FFFD.

    A browser sends such a half when it cuts a text in the middle of an emoji.

    Raises:
        RecursionError: the value is nested beyond reason.
    """
    if isinstance(value, str):
        return value if value.isascii() else HALF_CHARACTERS.sub(REPLACEMENT, value)
    if isinstance(value, dict):
        return {replace_surrogates(key): replace_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_surrogates(item) for item in value]
    return value
