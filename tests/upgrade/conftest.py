from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from openedx_ai_extensions.contrib.upgrade.foreign_tables import APP, SUFFIX, find, our_migrations
from tests.upgrade.old_site import OldSite, no_tables


@pytest.fixture
def old_site(transactional_db) -> Iterator[Callable[..., OldSite]]:
    """Makes the test's database one of another implementation's; ours comes back when the test is over."""
    yield OldSite
    finding = find(connection)
    if finding.aside or finding.is_foreign or set(finding.recorded) != our_migrations():
        no_tables()
        call_command("migrate", APP, verbosity=0, skip_checks=True)


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
