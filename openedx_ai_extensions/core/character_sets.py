"""Whether this app's tables can hold every character.

In MySQL and MariaDB the character set ``utf8`` (``utf8mb3``) has no characters of four bytes, such as emoji: storing
one raises an error. Many sites have databases, or connections, that were made with it.
"""

from __future__ import annotations

import re

from django.apps import apps
from django.db import connections
from django.utils.translation import gettext as _

_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")
_COMPLETE = {"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"}


def connection_is_limited(alias: str) -> bool:
    """Do characters of four bytes fail on the way to this database?"""
    connection = connections[alias]
    if connection.vendor != "mysql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@character_set_client")
        return cursor.fetchone()[0] not in _COMPLETE


def limited_tables(alias: str) -> list[str]:
    """The tables of this app in this database with columns that cannot hold characters of four bytes."""
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
    """Why this database cannot store a text, in words; None when it can."""
    found = _FOUR_BYTES.search(text)
    if found is None or not (connection_is_limited(alias) or limited_tables(alias)):
        return None
    return _(
        "The site's database cannot store {character}, nor any other emoji. Leave it out, or ask those who run the "
        "site to change the database's character set to utf8mb4."
    ).format(character=found.group())
