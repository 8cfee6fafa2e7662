"""Old tables out of the way of ours, and away for good. Each step can be repeated after it was cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import truncate_name

from openedx_ai_extensions.contrib.upgrade.history import SUFFIX

VENDORS = frozenset({"sqlite", "mysql"})  # MariaDB is one of MySQL
MAX_NAME = 63  # characters of a table's name


def aside_name(table: str) -> str:
    """What a table is called once it is set aside."""
    return f"{truncate_name(table, MAX_NAME - len(SUFFIX))}{SUFFIX}"


def run_sql(connection: BaseDatabaseWrapper, template: str, *names: str) -> None:
    """Run a statement with these names, quoted, in the places ``{}``."""
    with connection.cursor() as cursor:
        cursor.execute(template.format(*(connection.ops.quote_name(name) for name in names)))


def set_aside(connection: BaseDatabaseWrapper, tables: Iterable[str]) -> None:
    """Rename tables, without what would stand in the way of ours."""
    for table in tables:
        _drop_names(connection, table)
        run_sql(connection, "ALTER TABLE {} RENAME TO {}", table, aside_name(table))


def _drop_names(connection: BaseDatabaseWrapper, table: str) -> None:
    """Take away what has a name of its own in the whole database: Django gives ours the same.

    In MySQL foreign keys do, and would have the old rows hold on to people who are to be deleted; in SQLite indexes do.
    """
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)
        if connection.vendor == "mysql":
            keys = [name for name, constraint in constraints.items() if constraint["foreign_key"]]
        else:
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL", [table]
            )
            keys = [name for (name,) in cursor.fetchall()]
    for name in keys:
        if connection.vendor == "mysql":
            run_sql(connection, "ALTER TABLE {} DROP FOREIGN KEY {}", table, name)
        else:
            run_sql(connection, "DROP INDEX {}", name)


def drop(connection: BaseDatabaseWrapper, tables: Iterable[str]) -> None:
    """Drop tables, whatever they say of one another."""
    with connection.constraint_checks_disabled():
        for table in tables:
            run_sql(connection, "DROP TABLE {}", table)


def is_empty(connection: BaseDatabaseWrapper, table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608  # quoted
        return cursor.fetchone() is None


def holders(connection: BaseDatabaseWrapper, tables: Iterable[str]) -> Iterator[str]:
    """Tables of other apps that refer to any of these: they would go on to refer to the old rows."""
    own = set(tables)
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        for table in sorted(known.intersection(connection.introspection.table_names(cursor)) - own):
            relations = connection.introspection.get_relations(cursor, table)
            if any(relation[1] in own for relation in relations.values()):
                yield table


def start_ids_after(connection: BaseDatabaseWrapper, table: str, last: int) -> None:
    """Have a table give only ids greater than this one from now on."""
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            # An id that was given already is not given again, whatever is said here.
            cursor.execute(f"ALTER TABLE {connection.ops.quote_name(table)} AUTO_INCREMENT = {last + 1:d}")
            return
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        if found is None:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
        elif found[0] < last:
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [last, table])
