"""What can be stored in every database, shown in JSON and YAML, and sent to a provider, and what cannot."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

# Databases, JSON parsers and providers take whole numbers of 64 bits; many fail, or round, beyond.
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1

# Control characters but for tab and line ends; and halves of a character, which have no UTF-8.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def find_unfit(text: str) -> int | None:
    """The offset of the first character that a text must not have; None when there is none."""
    found = _UNFIT.search(text)
    return found.start() if found else None


def character_problem(character: str) -> str:
    """Why this character must not be in a text, in words."""
    name = f"U+{ord(character):04X}"
    if "\ud800" <= character <= "\udfff":
        return _("{character} is half of a character, which cannot be stored.").format(character=name)
    return _("{character} is a control character, which cannot be stored.").format(character=name)


def text_problem(text: str) -> str | None:
    """What must not be in a text, with line and column, in words; None when nothing is wrong with it."""
    offset = find_unfit(text)
    if offset is None:
        return None
    return _("Line {line}, column {column}: {reason}").format(
        line=text.count("\n", 0, offset) + 1,
        column=offset - text.rfind("\n", 0, offset),
        reason=character_problem(text[offset]),
    )


def number_problem(value: float | Decimal) -> str | None:
    """Why this number cannot be stored, in words; None when it can."""
    if isinstance(value, int):
        is_small = MIN_INTEGER <= value <= MAX_INTEGER
        return None if is_small else _("This whole number is too large: it must fit into 64 bits.")
    is_finite = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
    return None if is_finite else _("This number is not finite.")


def is_portable(value: Any) -> bool:
    """Can all of a value of dictionaries, lists, texts and numbers be stored, shown and sent?"""
    if isinstance(value, Mapping):
        return all(is_portable(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return all(map(is_portable, value))
    if isinstance(value, str):
        return find_unfit(value) is None
    return not isinstance(value, int | float | Decimal) or number_problem(value) is None
