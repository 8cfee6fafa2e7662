"""Checks whether values can be stored in every database, shown in JSON and YAML, and sent to a provider."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeGuard

from django.apps import apps
from django.db import connections
from django.utils.translation import gettext as _

# Databases, JSON parsers and providers support whole numbers of 64 bits; many fail or round larger ones.
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1

# Control characters except tab and line ends; and lone surrogates, which have no UTF-8 form.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
HALF_CHARACTERS = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"
# In MySQL and MariaDB, the character set utf8 (utf8mb3) has no characters of four bytes, such as emoji: storing one
# raises an error. Many sites have databases or connections with this character set.
_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")
_COMPLETE = {"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"}


def find_unfit(text: str) -> int | None:
    """The offset of the first character that is not allowed; None if there is none."""
    found = _UNFIT.search(text)
    return found.start() if found else None


def character_problem(character: str) -> str:
    """Why a character is not allowed, as a text."""
    name = f"U+{ord(character):04X}"
    if "\ud800" <= character <= "\udfff":
        return _("{character} is half of a character, which cannot be stored.").format(character=name)
    return _("{character} is a control character, which cannot be stored.").format(character=name)


def text_problem(text: str) -> str | None:
    """The first character that is not allowed, with line and column, as a text; None if there is none."""
    offset = find_unfit(text)
    if offset is None:
        return None
    return _("Line {line}, column {column}: {reason}").format(
        line=text.count("\n", 0, offset) + 1,
        column=offset - text.rfind("\n", 0, offset),
        reason=character_problem(text[offset]),
    )


def number_problem(value: float | Decimal) -> str | None:
    """Why a number cannot be stored, as a text; None if it can."""
    if isinstance(value, int):
        is_small = MIN_INTEGER <= value <= MAX_INTEGER
        return None if is_small else _("This whole number is too large: it must fit into 64 bits.")
    is_finite = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
    return None if is_finite else _("This number is not finite.")


def is_whole(value: Any) -> TypeGuard[int]:
    """Is it a whole number? Excludes booleans, which are integers in Python."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_portable(value: Any) -> bool:
    """Can all parts of a JSON-like value be stored, shown and sent?"""
    if isinstance(value, Mapping):
        return all(is_portable(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return all(map(is_portable, value))
    if isinstance(value, str):
        return find_unfit(value) is None
    return not isinstance(value, int | float | Decimal) or number_problem(value) is None


def replace_surrogates(value: Any) -> Any:
    """A JSON value with lone surrogates in its texts replaced by U+FFFD.

    A browser sends one if it cuts a text in the middle of an emoji.

    Raises:
        RecursionError: the value is nested too deep.
    """
    if isinstance(value, str):
        return value if value.isascii() else HALF_CHARACTERS.sub(REPLACEMENT, value)
    if isinstance(value, dict):
        return {replace_surrogates(key): replace_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_surrogates(item) for item in value]
    return value


def connection_is_limited(alias: str) -> bool:
    """Does the connection to this database reject characters of four bytes?"""
    connection = connections[alias]
    if connection.vendor != "mysql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@character_set_client")
        return cursor.fetchone()[0] not in _COMPLETE


def limited_tables(alias: str) -> list[str]:
    """This app's tables with columns that cannot store characters of four bytes."""
    connection = connections[alias]
    if connection.vendor != "mysql":
        return []
    tables = [model._meta.db_table for model in apps.get_app_config("openedx_ai_extensions").get_models()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name, character_set_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name IN %s AND character_set_name IS NOT NULL",
            [tables],
        )
        return sorted({table for table, character_set in cursor.fetchall() if character_set not in _COMPLETE})


def storage_problem(text: str, alias: str) -> str | None:
    """Why this database cannot store a text, as a text; None if it can."""
    found = _FOUR_BYTES.search(text)
    if found is None or not (connection_is_limited(alias) or limited_tables(alias)):
        return None
    return _(
        "The site's database cannot store {character}, nor any other emoji. Leave it out, or ask those who run the "
        "site to change the database's character set to utf8mb4."
    ).format(character=found.group())
