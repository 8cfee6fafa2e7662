"""The way from the public implementation's tables to ours, in steps that can be repeated after any of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from openedx_ai_extensions.contrib.upgrade import conversations, tables
from openedx_ai_extensions.contrib.upgrade.copying import MODELS, Copying, Report
from openedx_ai_extensions.contrib.upgrade.history import APP, FIRST, DatabaseState, find, our_migrations
from openedx_ai_extensions.contrib.upgrade.old_rows import OldTable, as_uuid
from openedx_ai_extensions.models import AIWorkflowSession


def upgrade(connection: BaseDatabaseWrapper, templates: Mapping[str, str] | None = None) -> Iterator[str | Report]:
    """Do what is left to do; each step is told when it is over, and by a report for each model.

    Args:
        templates: what the operator said of templates, by old path.

    Raises:
        CommandError: it cannot be done here; what was done before that holds.
    """
    finding = find(connection)
    if not finding.is_foreign and not finding.aside:
        return
    require_possible(connection, finding)
    if finding.is_foreign or FIRST not in finding.recorded:
        _clear_the_way(connection, finding)
        yield f"set aside: {', '.join(find(connection).aside) or 'no table, but a history'}"
    finding = find(connection)
    if our_migrations() - set(finding.recorded):
        _undo_half_made(connection, finding)
        call_command("migrate", APP, database=connection.alias, interactive=False, verbosity=0, skip_checks=True)
        yield "made: the tables of this package"
    old = OldTable(connection, MODELS["session"], must_be_aside=True)
    numbers = [int(key) for key in old.everything() if as_uuid(key) is None]
    last = max([0, *numbers, conversations.last_item()])
    tables.start_ids_after(connection, AIWorkflowSession._meta.db_table, last)
    yield from Copying(connection, templates).run()


def require_possible(connection: BaseDatabaseWrapper, finding: DatabaseState) -> None:
    """Raises CommandError: the old tables of this database cannot be set aside."""
    if connection.vendor not in tables.VENDORS:
        raise CommandError("This works on MySQL, MariaDB and SQLite only. Nothing has been changed.")
    if not finding.is_foreign:
        return
    twice = [name for name in finding.tables if tables.aside_name(name) in finding.aside]
    if twice:
        raise CommandError(
            f"These tables were set aside before, and are there again: {', '.join(twice)}. Rename or drop what was set "
            "aside. Nothing has been changed."
        )
    holders = list(tables.holders(connection, finding.tables))
    if holders:
        raise CommandError(
            f"Tables of other apps refer to the old tables: {', '.join(holders)}. Take those apps out first. Nothing "
            "has been changed."
        )


def _clear_the_way(connection: BaseDatabaseWrapper, finding: DatabaseState) -> None:
    """Set old tables aside, then forget their history: in this order, whoever looks in between sees what they are."""
    if connection.features.can_rollback_ddl:
        with transaction.atomic(using=connection.alias):
            _set_aside(connection, finding)
    else:
        _set_aside(connection, finding)


def _set_aside(connection: BaseDatabaseWrapper, finding: DatabaseState) -> None:
    old = [name for name in finding.tables if tables.aside_name(name) not in finding.aside]
    if not finding.is_foreign:
        # Their history is gone already: what is empty is a table of ours, from a migration that was cut off.
        old = [name for name in old if not tables.is_empty(connection, name)]
    tables.set_aside(connection, old)
    if finding.is_foreign:
        MigrationRecorder(connection).migration_qs.filter(app=APP).delete()


def _undo_half_made(connection: BaseDatabaseWrapper, finding: DatabaseState) -> None:
    """Make room for a migration that was cut off where the database could not roll it back.

    Only while all of our tables are empty: else nothing was cut off, and a later version has migrations to run.
    """
    if finding.tables and all(tables.is_empty(connection, name) for name in finding.tables):
        tables.drop(connection, finding.tables)
        MigrationRecorder(connection).migration_qs.filter(app=APP).delete()


def left(connection: BaseDatabaseWrapper) -> dict[str, int]:
    """How many old rows of each kind were not taken over."""
    return {kind: len(OldTable(connection, model, must_be_aside=True).left()) for kind, model in MODELS.items()}


def drop_old(connection: BaseDatabaseWrapper) -> tuple[list[str], int]:
    """Drop what was set aside, and delete the old submissions; returns the tables, and how many submissions."""
    finding = find(connection)
    if finding.is_foreign:
        raise CommandError("The upgrade is not done. Nothing has been changed.")
    old = OldTable(connection, MODELS["session"], must_be_aside=True)
    submissions = 0
    for rows in old.batches(old.everything()):
        with transaction.atomic(using=connection.alias):
            submissions += conversations.forget(rows, old.key)
    tables.drop(connection, finding.aside)
    return list(finding.aside), submissions
