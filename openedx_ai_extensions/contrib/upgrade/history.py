"""Whose tables a database has under this app's name: ours, nobody's, or those of the public implementation.

Both call their tables and their first migration alike, so Django cannot tell: it would lay our later migrations over
tables that are not ours.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.models import Field

APP = "openedx_ai_extensions"
SUFFIX = "_before_upgrade"  # of the names of tables that were set aside
FIRST = "0001_initial"  # the one name that others have too


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What a database has under this app's name.

    Attributes:
        recorded: names of migrations in Django's history.
        unknown: those that are not ours.
        differences: in words, how tables differ from those that our first migration makes.
        tables: the app's tables, without those that were set aside.
        aside: the tables that were set aside, under the names that they have now.
    """

    recorded: tuple[str, ...]
    unknown: tuple[str, ...]
    differences: tuple[str, ...]
    tables: tuple[str, ...]
    aside: tuple[str, ...]

    @property
    def is_foreign(self) -> bool:
        """Are the tables, or what is left of their history, another implementation's?

        Where any but our first migration ran, they are ours: what else is recorded is then a later version's.
        """
        return not self.is_ours and bool(self.unknown or self.differences)

    @property
    def is_ours(self) -> bool:
        return bool(set(self.recorded) & (our_migrations() - {FIRST}))

    def reasons(self) -> Iterator[str]:
        """Why the tables are not ours, a line each."""
        if self.unknown:
            yield f"migrations that this package does not have: {', '.join(self.unknown)}"
        yield from self.differences


def is_ours(connection: BaseDatabaseWrapper) -> bool:
    """Do the tables come from this package? One query, which spares sites that always ran it the rest of ``find``."""
    return bool(set(_recorded(connection)) & (our_migrations() - {FIRST}))


def _recorded(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    recorder = MigrationRecorder(connection)
    rows = recorder.migration_qs.filter(app=APP).order_by("id") if recorder.has_table() else ()
    return tuple(row.name for row in rows)


def find(connection: BaseDatabaseWrapper) -> DatabaseState:
    """Look at a database; nothing is changed."""
    recorded = _recorded(connection)
    names = _tables(connection)
    tables = tuple(name for name in names if not name.endswith(SUFFIX))
    return DatabaseState(
        recorded=recorded,
        unknown=tuple(name for name in recorded if name not in our_migrations()),
        differences=tuple(_differences(connection, tables, must_exist=FIRST in recorded)),
        tables=tables,
        aside=tuple(name for name in names if name.endswith(SUFFIX)),
    )


def our_migrations() -> frozenset[str]:
    """The names of this package's migrations."""
    return frozenset(module.name for module in pkgutil.iter_modules(import_module(_package()).__path__))


def _package() -> str:
    name, _is_set = MigrationLoader.migrations_module(APP)
    return str(name)


def _tables(connection: BaseDatabaseWrapper) -> list[str]:
    """The app's tables; another app, whose label begins like ours, keeps its own."""
    others = {
        model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.app_label != APP
    }
    names = connection.introspection.table_names()
    return sorted(name for name in names if name.startswith(f"{APP}_") and name not in others)


def _first_tables() -> dict[str, dict[str, Field[Any, Any]]]:
    """The tables of our first migration, with their columns."""
    migration = import_module(f"{_package()}.{FIRST}").Migration(FIRST, APP)
    state = migration.mutate_state(ProjectState())
    return {f"{APP}_{model.name_lower}": _columns(model.fields) for model in state.models.values()}


def _columns(fields: Mapping[str, Field[Any, Any]]) -> dict[str, Field[Any, Any]]:
    return {field.db_column or (f"{name}_id" if field.remote_field else name): field for name, field in fields.items()}


def _differences(connection: BaseDatabaseWrapper, tables: tuple[str, ...], *, must_exist: bool) -> Iterator[str]:
    later = {
        model._meta.db_table: {field.column for field in model._meta.concrete_fields}
        for model in apps.get_app_config(APP).get_models()
    }
    for table, fields in _first_tables().items():
        if table not in tables:
            if must_exist:
                yield f"{table}: it is not there"
            continue
        with connection.cursor() as cursor:
            found = {column.name: column for column in connection.introspection.get_table_description(cursor, table)}
        missing, unknown = sorted(fields.keys() - found.keys()), sorted(found.keys() - fields.keys() - later[table])
        if missing:
            yield f"{table}: no column {', '.join(missing)}"
        if unknown:
            yield f"{table}: unknown column {', '.join(unknown)}"
        for name in sorted(fields.keys() & found.keys()):
            if bool(found[name].null_ok) != fields[name].null:
                yield f"{table}: the column {name} {'may' if found[name].null_ok else 'must not'} be empty"
            elif fields[name].primary_key and not _is_integer(connection, found[name]):
                yield f"{table}: the column {name} is no number"


def _is_integer(connection: BaseDatabaseWrapper, column: Any) -> bool:
    kind = str(connection.introspection.get_field_type(column.type_code, column))
    return "Integer" in kind or "Auto" in kind
