"""The tables of the public implementation: moving them aside, reading their rows, and dropping them.

Each step can be repeated after it was interrupted.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import truncate_name
from django.utils.dateparse import parse_datetime

from openedx_ai_extensions.contrib.upgrade.foreign_tables import SUFFIX

VENDORS = frozenset({"sqlite", "mysql"})  # MariaDB counts as MySQL
MAX_NAME_CHARS = 63  # of a table
NEW_ID = "taken_over_as"  # a column that we add to old tables: the id of the new row
BATCH = 100  # rows

Row = Mapping[str, Any]


def aside_name(table: str) -> str:
    """The name of a table after it was set aside."""
    return f"{truncate_name(table, MAX_NAME_CHARS - len(SUFFIX))}{SUFFIX}"


def run_sql(connection: BaseDatabaseWrapper, template: str, *names: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """Run a statement, with quoted names in place of ``{}``; returns the rows of a SELECT."""
    with connection.cursor() as cursor:
        cursor.execute(template.format(*(connection.ops.quote_name(name) for name in names)), list(parameters))
        return list(cursor.fetchall()) if cursor.description else []


def set_aside(connection: BaseDatabaseWrapper, tables: Iterable[str]) -> None:
    """Rename tables, and drop what would conflict with ours."""
    for table in tables:
        _drop_names(connection, table)
        run_sql(connection, "ALTER TABLE {} RENAME TO {}", table, aside_name(table))


def _drop_names(connection: BaseDatabaseWrapper, table: str) -> None:
    """Drop what has a name that is unique in the whole database: Django gives ours the same name.

    In MySQL these are foreign keys, which would also prevent people from being deleted; in SQLite indexes.
    """
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            constraints = connection.introspection.get_constraints(cursor, table)
        for name, constraint in constraints.items():
            if constraint["foreign_key"]:
                run_sql(connection, "ALTER TABLE {} DROP FOREIGN KEY {}", table, name)
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL"
        for (name,) in run_sql(connection, query, parameters=[table]):
            run_sql(connection, "DROP INDEX {}", name)


def drop(connection: BaseDatabaseWrapper, tables: Iterable[str]) -> None:
    """Drop tables, even if they refer to one another."""
    with connection.constraint_checks_disabled():
        for table in tables:
            run_sql(connection, "DROP TABLE {}", table)


def is_empty(connection: BaseDatabaseWrapper, table: str) -> bool:
    return not run_sql(connection, "SELECT 1 FROM {} LIMIT 1", table)


def referring_tables(connection: BaseDatabaseWrapper, tables: Iterable[str]) -> Iterator[str]:
    """Tables of other apps with foreign keys to these: they would still refer to the old rows."""
    own = set(tables)
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        for table in sorted(known.intersection(connection.introspection.table_names(cursor)) - own):
            relations = connection.introspection.get_relations(cursor, table)
            if any(relation[1] in own for relation in relations.values()):
                yield table


def start_ids_after(connection: BaseDatabaseWrapper, table: str, last: int) -> None:
    """Make new rows of a table get ids that are greater than this one."""
    if connection.vendor == "mysql":
        # MySQL never reuses an id, whatever is set here.
        run_sql(connection, f"ALTER TABLE {{}} AUTO_INCREMENT = {last + 1:d}", table)
        return
    found = run_sql(connection, "SELECT seq FROM sqlite_sequence WHERE name = %s", parameters=[table])
    if not found:
        run_sql(connection, "INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", parameters=[table, last])
    elif found[0][0] < last:
        run_sql(connection, "UPDATE sqlite_sequence SET seq = %s WHERE name = %s", parameters=[last, table])


class OldTable:
    """The old table of one model, set aside or not; it may be missing.

    Args:
        table: its original name.
        must_be_aside: the table with the original name is ours.
    """

    def __init__(self, connection: BaseDatabaseWrapper, table: str, *, must_be_aside: bool) -> None:
        self.connection = connection
        candidates = (aside_name(table),) if must_be_aside else (aside_name(table), table)
        names = set(connection.introspection.table_names())
        self.name = next((name for name in candidates if name in names), "")
        self.is_aside = self.name == aside_name(table)
        self.columns: list[str] = []
        self.key = "id"
        if self.name:
            with connection.cursor() as cursor:
                found = connection.introspection.get_table_description(cursor, self.name)
                self.key = connection.introspection.get_primary_key_column(cursor, self.name) or "id"
            self.columns = [column.name for column in found]

    def prepare(self) -> None:
        """Add the column for new ids."""
        if self.is_aside and NEW_ID not in self.columns:
            run_sql(self.connection, "ALTER TABLE {} ADD COLUMN {} varchar(64) NULL", self.name, NEW_ID)
            self.columns.append(NEW_ID)

    def remaining(self) -> list[Any]:
        """The keys of rows that are not taken over, the last changed first."""
        condition = f" WHERE {self._quoted(NEW_ID)} IS NULL" if NEW_ID in self.columns else ""
        order = [f"{self._quoted(name)} DESC" for name in ("updated_at", self.key) if name in self.columns]
        return [key for (key,) in self._select([self.key], f"{condition} ORDER BY {', '.join(order)}")]

    def keys(self) -> list[Any]:
        """The keys of all rows."""
        return [key for (key,) in self._select([self.key])]

    def batches(self, keys: Sequence[Any]) -> Iterator[list[Row]]:
        """The rows with these keys, in this order, in batches."""
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            condition = f" WHERE {self._quoted(self.key)} IN ({', '.join(['%s'] * len(some))})"
            found = self._select(self.columns, condition, some)
            rows = [dict(zip(self.columns, values, strict=True)) for values in found]
            position = {key: number for number, key in enumerate(some)}
            yield sorted(rows, key=lambda row: position[row[self.key]])

    def new_ids(self) -> dict[str, int]:
        """The ids of new rows, by the keys of old rows."""
        if NEW_ID not in self.columns:
            return {}
        found = self._select([self.key, NEW_ID], f" WHERE {self._quoted(NEW_ID)} IS NOT NULL")
        return {as_text(key): int(new) for key, new in found}

    def mark(self, row: Row, new_id: Any) -> None:
        """Record that a row was taken over."""
        template = "UPDATE {} SET {} = %s WHERE {} = %s"
        run_sql(self.connection, template, self.name, NEW_ID, self.key, parameters=[str(new_id), row[self.key]])

    def _quoted(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def _select(self, columns: Sequence[str], rest: str = "", parameters: Sequence[Any] = ()) -> list[Any]:
        if not self.name:
            return []
        template = f"SELECT {', '.join(['{}'] * len(columns))} FROM {{}}{rest}"  # noqa: S608  # quoted
        return run_sql(self.connection, template, *columns, self.name, parameters=parameters)


def as_text(value: Any) -> str:
    """A column as text, with one spelling for each UUID."""
    if value is None:
        return ""
    identifier = as_uuid(value)
    return identifier.hex if identifier is not None else str(value)


def as_uuid(value: Any) -> uuid.UUID | None:
    """A UUID in any spelling of a database; None for other values."""
    if isinstance(value, uuid.UUID):
        return value
    if not isinstance(value, str) or len(value) not in {32, 36}:
        return None
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def as_time(value: Any) -> datetime | None:
    """A column as a time; without a time zone it is UTC. None for other values."""
    found = parse_datetime(value) if isinstance(value, str) else value
    if not isinstance(found, datetime):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def as_json(value: Any) -> Any:
    """A column with JSON, parsed; None if it is not JSON."""
    if not isinstance(value, str | bytes):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
