"""The SQL statements that every run executes, written by hand: building them with the ORM takes longer than running
them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper

from openedx_ai_extensions.ledger.limits import Limits
from openedx_ai_extensions.ledger.models import AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.ledger.periods import Period, begins

FIELDS = [field for field in AIWorkflowRun._meta.local_concrete_fields if not field.primary_key]
NAMES = tuple(field.attname for field in FIELDS)
COLUMNS = {field.attname: field for field in FIELDS}
# Fields whose values need no conversion on any database.
PLAIN = (models.BooleanField, models.CharField, models.IntegerField)
SUBJECT = ("user_id", "course_id", "profile_id", "provider")  # the attributes of a Subject
# Ordered by length: a run in a period is also in all longer ones.
PERIODS = (Period.MINUTE, Period.HOUR, Period.DAY, Period.MONTH)
RECENCY = {str(period): place for place, period in enumerate(PERIODS)}


def insert(row: AIWorkflowRun) -> None:
    """Insert a row; sends no signals."""
    connection = _connection()
    gives_id = connection.vendor in {"sqlite", "mysql"}
    with connection.cursor() as cursor:
        cursor.execute(_insert_sql(connection.alias, gives_id), _values(row, NAMES, connection))
        row.pk = cursor.lastrowid if gives_id else cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias


def update(row: AIWorkflowRun, names: tuple[str, ...]) -> bool:
    """Update these fields of a row unless it is counted already. Returns whether it was updated."""
    connection = _connection()
    with connection.cursor() as cursor:
        cursor.execute(_update_sql(connection.alias, names), [*_values(row, names, connection), row.pk, False])
        return bool(cursor.rowcount)


def _values(row: AIWorkflowRun, names: tuple[str, ...], connection: BaseDatabaseWrapper) -> list[Any]:
    prepare = _preparations()
    values = []
    for name in names:
        value, prepared = getattr(row, name), prepare[name]
        values.append(prepared(value, connection) if prepared else value)
    return values


@lru_cache(maxsize=1)
def _preparations() -> dict[str, Callable[[Any, BaseDatabaseWrapper], Any] | None]:
    """The conversion function of each field; None for fields without one."""
    plain = {name for name, field in COLUMNS.items() if isinstance(field, PLAIN) and not hasattr(field, "KEY_CLASS")}
    return {name: None if name in plain else field.get_db_prep_save for name, field in COLUMNS.items()}


@lru_cache(maxsize=8)
def _insert_sql(alias: str, gives_id: bool) -> str:
    quote = connections[alias].ops.quote_name
    columns, places = ", ".join(quote(str(field.column)) for field in FIELDS), ", ".join(["%s"] * len(FIELDS))
    returning = "" if gives_id else " RETURNING id"
    return f"INSERT INTO {quote(AIWorkflowRun._meta.db_table)} ({columns}) VALUES ({places}){returning}"  # noqa: S608  # our names


@lru_cache(maxsize=8)
def _update_sql(alias: str, names: tuple[str, ...]) -> str:
    quote = connections[alias].ops.quote_name
    changes = ", ".join(f"{quote(str(COLUMNS[name].column))} = %s" for name in names)
    return f"UPDATE {quote(AIWorkflowRun._meta.db_table)} SET {changes} WHERE id = %s AND is_counted = %s"  # noqa: S608  # our names


def query_usage(limits: Limits, now: datetime, before: int) -> list[tuple[Any, ...]]:
    """Read the current usage in one consistent query.

    Args:
        limits: the limits to read it for.
        now: aware.
        before: id of a row.

    Returns:
        ``(key, is_before, recency, *covered_by, requests, tokens, micros)``. With a key the row is a total. Otherwise
        it is the sum of uncounted rows that have in common: whether their id is at most ``before``; the index in
        ``PERIODS`` of the shortest current period that contains them; and for each of ``limits.subjects``, whether it
        covers them. Reservations are included.
    """
    connection = _connection()
    usage_sql, subjects, totals = _usage_query(limits, connection.alias)
    adapt = connection.ops.adapt_datetimefield_value
    parameters = [
        before,
        *(adapt(begins(period, now)) for period in PERIODS),
        *subjects,
        False,
        *totals,
    ]
    with connection.cursor() as cursor:
        cursor.execute(usage_sql, parameters)
        return list(cursor.fetchall())


@lru_cache(maxsize=1024)
def _usage_query(limits: Limits, alias: str) -> tuple[str, Sequence[Any], Sequence[Any]]:
    """The parts of a usage query that are the same for many runs: the SQL, and the parameters for rows and totals."""
    wanted = limits.subjects
    shapes = tuple(tuple(name for name in SUBJECT if getattr(place, name) is not None) for place in wanted)
    subjects = [getattr(place, name) for place, names in zip(wanted, shapes, strict=True) for name in names]
    adapt = connections[alias].ops.adapt_datetimefield_value
    totals = {limit.key: adapt(limit.starts_at) for limit in limits}
    keys = [value for total in totals.items() for value in total]
    return _usage_sql(alias, shapes, len(totals)), subjects, [*(subjects if all(shapes) else ()), *keys]


@lru_cache(maxsize=64)
def _usage_sql(alias: str, shapes: tuple[tuple[str, ...], ...], number_of_totals: int) -> str:
    quote = connections[alias].ops.quote_name
    rows, totals = quote(AIWorkflowRun._meta.db_table), quote(AIUsageTotal._meta.db_table)
    covers = [" AND ".join(f"{quote(name)} = %s" for name in names) for names in shapes]
    flags = "".join(f"CASE WHEN {cover} THEN 1 ELSE 0 END, " if cover else "1, " for cover in covers)
    only = f"AND ({' OR '.join(f'({cover})' for cover in covers)})" if all(covers) else ""
    recency = " ".join(f"WHEN created_at >= %s THEN {place}" for place in range(len(PERIODS)))
    groups = ", ".join(str(column) for column in range(2, 4 + len(shapes)))
    key = quote("key")
    # 1.0 avoids an integer overflow: rows of older releases may hold very large numbers.
    return f"""
        SELECT '', CASE WHEN id <= %s THEN 1 ELSE 0 END, CASE {recency} ELSE {len(PERIODS)} END, {flags}
            SUM(CASE WHEN calls > 0 THEN 1 ELSE 0 END),
            SUM(1.0 * prompt_tokens + completion_tokens + held_tokens),
            SUM(1.0 * cost_micros + held_micros)
        FROM {rows} WHERE is_counted = %s {only} GROUP BY {groups}
        UNION ALL
        SELECT {key}, 0, 0, {"0, " * len(shapes)} requests, tokens, micros FROM {totals}
        WHERE {" OR ".join([f"({key} = %s AND starts_at = %s)"] * number_of_totals)}"""  # noqa: S608  # names of ours


def _connection() -> BaseDatabaseWrapper:
    return connections[router.db_for_write(AIWorkflowRun)]
