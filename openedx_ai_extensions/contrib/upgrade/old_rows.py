"""The rows of an old table, as dictionaries of the columns that it has, and which of them were taken over."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.dateparse import parse_datetime

from openedx_ai_extensions.contrib.upgrade.history import APP
from openedx_ai_extensions.contrib.upgrade.tables import aside_name, run_sql

MARK = "taken_over_as"  # a column of ours in old tables: the new row's id
BATCH = 100  # rows

Row = Mapping[str, Any]


class OldTable:
    """One model's old table, wherever it is by now; there may be none.

    Args:
        model: the model's name, in lower case.
        must_be_aside: is what has its proper name ours?
    """

    def __init__(self, connection: BaseDatabaseWrapper, model: str, *, must_be_aside: bool) -> None:
        self.connection = connection
        table = f"{APP}_{model}"
        wanted = (aside_name(table),) if must_be_aside else (aside_name(table), table)
        names = set(connection.introspection.table_names())
        self.name = next((name for name in wanted if name in names), "")
        self.is_aside = self.name == aside_name(table)
        self.columns: list[str] = []
        self.key = "id"
        if self.name:
            with connection.cursor() as cursor:
                found = connection.introspection.get_table_description(cursor, self.name)
                self.key = connection.introspection.get_primary_key_column(cursor, self.name) or "id"
            self.columns = [column.name for column in found]

    def prepare(self) -> None:
        """Have a place for the mark."""
        if self.is_aside and MARK not in self.columns:
            run_sql(self.connection, "ALTER TABLE {} ADD COLUMN {} varchar(64) NULL", self.name, MARK)
            self.columns.append(MARK)

    def left(self) -> list[Any]:
        """The keys of rows that are not taken over; those changed last come first."""
        if not self.name:
            return []
        where = f" WHERE {self._quoted(MARK)} IS NULL" if MARK in self.columns else ""
        order = [name for name in ("updated_at", self.key) if name in self.columns]
        by = ", ".join(f"{self._quoted(name)} DESC" for name in order)
        return [key for (key,) in self._select([self.key], f"{where} ORDER BY {by}")]

    def everything(self) -> list[Any]:
        """The keys of all rows."""
        if not self.name:
            return []
        return [key for (key,) in self._select([self.key], "")]

    def batches(self, keys: Sequence[Any]) -> Iterator[list[Row]]:
        """The rows with these keys, in their order, some at a time."""
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            where = f" WHERE {self._quoted(self.key)} IN ({', '.join(['%s'] * len(some))})"
            rows = [dict(zip(self.columns, values, strict=True)) for values in self._select(self.columns, where, some)]
            place = {key: position for position, key in enumerate(some)}
            yield sorted(rows, key=lambda row: place[row[self.key]])

    def taken(self) -> dict[str, int]:
        """The new ids of rows, by their old keys."""
        if MARK not in self.columns:
            return {}
        where = f" WHERE {self._quoted(MARK)} IS NOT NULL"
        return {text(key): int(new) for key, new in self._select([self.key, MARK], where)}

    def mark(self, row: Row, new: Any) -> None:
        """Remember what became of a row."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self._quoted(self.name)} SET {self._quoted(MARK)} = %s "  # noqa: S608  # quoted
                f"WHERE {self._quoted(self.key)} = %s",
                [str(new), row[self.key]],
            )

    def _quoted(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def _select(self, columns: Sequence[str], rest: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        names = ", ".join(self._quoted(name) for name in columns)
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT {names} FROM {self._quoted(self.name)}{rest}", list(parameters))  # noqa: S608
            return list(cursor.fetchall())


def text(value: Any) -> str:
    """A column as text; one spelling for each UUID."""
    if value is None:
        return ""
    identifier = as_uuid(value)
    return identifier.hex if identifier is not None else str(value)


def as_uuid(value: Any) -> uuid.UUID | None:
    """A UUID that a database gives in one of its spellings; None when it is none."""
    if isinstance(value, uuid.UUID):
        return value
    if not isinstance(value, str) or len(value) not in {32, 36}:
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def moment(value: Any) -> datetime | None:
    """A column as a time; databases that know no time zones hold UTC."""
    found = parse_datetime(value) if isinstance(value, str) else value
    if not isinstance(found, datetime):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def parsed(value: Any) -> Any:
    """A column that holds JSON; None when it does not."""
    if not isinstance(value, str | bytes):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
