"""Whether a database has the tables of this app, of the public implementation under the same name, or none.

Both implementations use the same names for tables and for the first migration, so Django cannot tell them apart: it
would run our later migrations on tables that are not ours.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from django.apps import AppConfig, apps
from django.core.management.base import CommandError
from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.models import Field
from django.db.models.signals import pre_migrate
from django.dispatch import receiver

APP = "openedx_ai_extensions"
SUFFIX = "_before_upgrade"  # of tables that were set aside
FIRST = "0001_initial"  # the migration that both implementations have
ADVICE = "Run 'manage.py ai_upgrade' to see what would be taken over, and 'manage.py ai_upgrade --apply' to do it."


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What a database has under this app's name.

    Attributes:
        recorded: names of migrations in Django's history.
        unknown: those of ``recorded`` that this package does not have.
        differences: in words, how tables differ from those that our first migration makes.
        tables: the app's tables, without those that were set aside.
        aside: the tables that were set aside, by their present names.
    """

    recorded: tuple[str, ...]
    unknown: tuple[str, ...]
    differences: tuple[str, ...]
    tables: tuple[str, ...]
    aside: tuple[str, ...]

    @property
    def is_foreign(self) -> bool:
        """Are the tables, or what is left of their history, another implementation's?

        If any of our migrations but the first has run, they are ours, and unknown migrations are a later version's.
        """
        return not self.is_ours and bool(self.unknown or self.differences)

    @property
    def is_ours(self) -> bool:
        return _has_ours(self.recorded)

    def reasons(self) -> Iterator[str]:
        """Why the tables are not ours, a line each."""
        if self.unknown:
            yield f"migrations that this package does not have: {', '.join(self.unknown)}"
        yield from self.differences


@receiver(pre_migrate, dispatch_uid=f"{APP}.upgrade.guard")
def refuse_foreign_tables(app_config: AppConfig, using: str, plan: Sequence[Any], **_kwargs: Any) -> None:
    """Stop ``migrate`` if any of our migrations would run on another implementation's tables.

    Raises:
        CommandError: so it would; nothing has been changed.
    """
    is_concerned = app_config.label == APP and any(migration.app_label == APP for migration, _backwards in plan)
    # A database without tables of this app records its migrations nevertheless.
    if not is_concerned or not router.allow_migrate(using, APP) or is_ours(connections[using]):
        return
    state = find(connections[using])
    if state.is_foreign:
        reasons = "\n".join(f"  - {reason}" for reason in state.reasons())
        raise CommandError(
            f"The tables of the app {APP} were made by another implementation. Nothing has been changed.\n"
            f"{reasons}\n{ADVICE}"
        )


def is_ours(connection: BaseDatabaseWrapper) -> bool:
    """Do the tables come from this package? Unlike ``find``, this takes only one query."""
    return _has_ours(_recorded(connection))


def find(connection: BaseDatabaseWrapper) -> DatabaseState:
    """Inspect a database; nothing is changed."""
    recorded = _recorded(connection)
    # Apps whose labels begin like ours keep their tables.
    others = {each._meta.db_table for each in apps.get_models(include_auto_created=True) if each._meta.app_label != APP}
    found = set(connection.introspection.table_names()) - others
    names = sorted(name for name in found if name.startswith(f"{APP}_"))
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
    return frozenset(module.name for module in pkgutil.iter_modules(_our_package().__path__))


def _our_package(name: str = "") -> ModuleType:
    package, _is_set = MigrationLoader.migrations_module(APP)
    return import_module(f"{package}{name}")


def _has_ours(recorded: Sequence[str]) -> bool:
    return bool(set(recorded) & (our_migrations() - {FIRST}))


def _recorded(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    recorder = MigrationRecorder(connection)
    rows = recorder.migration_qs.filter(app=APP).order_by("id") if recorder.has_table() else ()
    return tuple(row.name for row in rows)


def _first_tables() -> Iterator[tuple[str, dict[str, Field[Any, Any]]]]:
    """The tables that our first migration makes, with their columns."""
    state = _our_package(f".{FIRST}").Migration(FIRST, APP).mutate_state(ProjectState())
    for model in state.models.values():
        columns = {
            field.db_column or (f"{name}_id" if field.remote_field else name): field
            for name, field in model.fields.items()
        }
        yield f"{APP}_{model.name_lower}", columns


def _differences(connection: BaseDatabaseWrapper, tables: tuple[str, ...], *, must_exist: bool) -> Iterator[str]:
    later = {
        model._meta.db_table: {field.column for field in model._meta.concrete_fields}
        for model in apps.get_app_config(APP).get_models()
    }
    for table, fields in _first_tables():
        if table not in tables:
            if must_exist:
                yield f"{table}: the table is missing"
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
                yield f"{table}: the column {name} is not a number"


def _is_integer(connection: BaseDatabaseWrapper, column: Any) -> bool:
    kind = str(connection.introspection.get_field_type(column.type_code, column))
    return "Integer" in kind or "Auto" in kind
