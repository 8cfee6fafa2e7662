"""The statements that every run takes, by hand: the ORM takes longer to write them than the database to run them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from openedx_ai_extensions.accounting.limits import Limit
from openedx_ai_extensions.accounting.models import AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.accounting.periods import Period, begins
from openedx_ai_extensions.accounting.subjects import Place

FIELDS = [field for field in AIWorkflowRun._meta.local_concrete_fields if not field.primary_key]
COLUMNS = {field.attname: field for field in FIELDS}
SUBJECT = ("user_id", "course_id", "profile_id", "provider")  # what a place is made of
# Each is within the next: the first that a run is young enough for says all of them.
PERIODS = (Period.MINUTE, Period.HOUR, Period.DAY, Period.MONTH)
RECENCY = {str(period): place for place, period in enumerate(PERIODS)}


def insert(row: AIWorkflowRun) -> None:
    """Write a new row; sends no signal."""
    connection = _connection()
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in FIELDS]
    gives_id = connection.vendor in {"sqlite", "mysql"}
    quote = connection.ops.quote_name
    columns, places = ", ".join(quote(str(field.column)) for field in FIELDS), ", ".join(["%s"] * len(FIELDS))
    returning = "" if gives_id else " RETURNING id"
    table = quote(AIWorkflowRun._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({places}){returning}", values)  # noqa: S608  # our names
        row.pk = cursor.lastrowid if gives_id else cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias


def update(row: AIWorkflowRun, names: Iterable[str]) -> bool:
    """Write these attributes of a row, unless it is in the totals already; says whether it did."""
    connection = _connection()
    quote = connection.ops.quote_name
    fields = [COLUMNS[name] for name in names]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    changes = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    table = quote(AIWorkflowRun._meta.db_table)
    statement = f"UPDATE {table} SET {changes} WHERE id = %s AND is_counted = %s"  # noqa: S608  # names of ours
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, row.pk, False])
        return bool(cursor.rowcount)


def look(limits: Sequence[Limit], now: datetime, before: int) -> list[tuple[Any, ...]]:
    """What was used, at one moment.

    Args:
        limits: that it is asked for.
        now: aware.
        before: id of a row.

    Returns:
        ``(key, is_before, recency, *covered_by, requests, tokens, micros)``. With a key it is a total; else the sum of
        rows that are not in the totals yet and have in common: whether their id is at most ``before``; the index in
        ``PERIODS`` of the shortest present period that they are in; and for each of ``subjects(limits)``, whether it
        covers them. What is held counts while it holds.
    """
    connection = _connection()
    wanted = subjects(limits)
    shapes = tuple(tuple(name for name in SUBJECT if getattr(place, name) is not None) for place in wanted)
    adapt = connection.ops.adapt_datetimefield_value
    of_subjects = [getattr(place, name) for place, names in zip(wanted, shapes, strict=True) for name in names]
    totals = {limit.key: limit.starts_at for limit in limits}
    parameters = [
        before,
        *(adapt(begins(period, now)) for period in PERIODS),
        *of_subjects,
        *[adapt(now)] * 2,
        False,
        *(of_subjects if all(shapes) else ()),
        *(value for key, starts_at in totals.items() for value in (key, adapt(starts_at))),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_look_sql(connection.alias, shapes, len(totals)), parameters)
        return list(cursor.fetchall())


def subjects(limits: Iterable[Limit]) -> list[Place]:
    """Whose use these limits count, each once."""
    return list(dict.fromkeys(limit.subject for limit in limits))


@lru_cache(maxsize=64)
def _look_sql(alias: str, shapes: tuple[tuple[str, ...], ...], number_of_totals: int) -> str:
    quote = connections[alias].ops.quote_name
    rows, totals = quote(AIWorkflowRun._meta.db_table), quote(AIUsageTotal._meta.db_table)
    covers = [" AND ".join(f"{quote(name)} = %s" for name in names) for names in shapes]
    flags = "".join(f"CASE WHEN {cover} THEN 1 ELSE 0 END, " if cover else "1, " for cover in covers)
    only = f"AND ({' OR '.join(f'({cover})' for cover in covers)})" if all(covers) else ""
    recency = " ".join(f"WHEN created_at >= %s THEN {place}" for place in range(len(PERIODS)))
    groups = ", ".join(str(column) for column in range(2, 4 + len(shapes)))
    key = quote("key")
    return f"""
        SELECT '', CASE WHEN id <= %s THEN 1 ELSE 0 END, CASE {recency} ELSE {len(PERIODS)} END, {flags}
            SUM(CASE WHEN calls > 0 THEN 1 ELSE 0 END),
            SUM(prompt_tokens + completion_tokens + CASE WHEN held_until > %s THEN held_tokens ELSE 0 END),
            SUM(cost_micros + CASE WHEN held_until > %s THEN held_micros ELSE 0 END)
        FROM {rows} WHERE is_counted = %s {only} GROUP BY {groups}
        UNION ALL
        SELECT {key}, 0, 0, {"0, " * len(shapes)} requests, tokens, micros FROM {totals}
        WHERE {" OR ".join([f"({key} = %s AND starts_at = %s)"] * number_of_totals)}"""  # noqa: S608  # names of ours


def _connection() -> BaseDatabaseWrapper:
    return connections[router.db_for_write(AIWorkflowRun)]
