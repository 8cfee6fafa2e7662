from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from openedx_ai_extensions.contrib.upgrade.foreign_tables import APP, SUFFIX, find, our_migrations
from tests.upgrade.old_site import OldSite, no_tables, run_sql


@pytest.fixture
def old_site(transactional_db) -> Iterator[Callable[..., OldSite]]:
    """Makes the test's database one of another implementation's; ours comes back when the test is over."""
    statements = _statements()
    yield OldSite
    finding = find(connection)
    if not (finding.aside or finding.is_foreign or set(finding.recorded) != our_migrations()):
        return
    no_tables()
    if not statements:
        call_command("migrate", APP, verbosity=0, skip_checks=True)
        return
    # On SQLite the tables are made as they were: running the migrations would take most of the test's time.
    for statement in statements:
        run_sql(statement)
    recorder = MigrationRecorder(connection)
    for name in sorted(our_migrations()):
        recorder.record_applied(APP, name)


def _statements() -> list[str]:
    """What makes our tables and their indexes, on SQLite."""
    if connection.vendor != "sqlite":
        return []
    found = run_sql(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name LIKE %s ORDER BY type DESC", f"{APP}_%"
    )
    return [sql for (sql,) in found]


def upgrade(*arguments: str) -> list[str]:
    """The command's lines."""
    out = StringIO()
    call_command("ai_upgrade", *arguments, stdout=out)
    return out.getvalue().splitlines()


def contents() -> dict[str, list[Any]]:
    """Every row of the app's tables and of its history, to compare."""
    finding = find(connection)
    rows: dict[str, list[Any]] = {"history": list(finding.recorded)}
    with connection.cursor() as cursor:
        for table in [*finding.tables, *finding.aside]:
            cursor.execute(f"SELECT * FROM {table}")
            rows[table] = sorted(cursor.fetchall(), key=str)
    return rows


__all__ = ["SUFFIX", "contents", "upgrade"]
