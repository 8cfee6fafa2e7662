"""``manage.py ai_usage_report``: what AI was used for and what it cost, as the admin's report shows it."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.ledger.audit import audit
from openedx_ai_extensions.reports.tables import csv_lines, lines_of, record
from openedx_ai_extensions.reports.usage import FIRST_DAY, LAST_DAY, By, Filters

TABLE = ("runs", "failed", "lost", "refused", "tokens", "cost", "first_token_p50_ms", "first_token_p95_ms",
         "duration_p50_ms", "duration_p95_ms")  # fmt: skip


class Command(BaseCommand):
    """Prints a report, or holds the sums that reports are made of against the ledger."""

    help = "What AI was used for and what it cost; --check and --rebuild hold the sums against the ledger's rows."

    def add_arguments(self, parser: CommandParser) -> None:
        today = timezone.localdate(timezone=timezone.get_default_timezone())
        parser.add_argument("--by", choices=[str(by) for by in By], default=str(By.DAY), help="a line for each (day)")
        parser.add_argument("--since", type=_day, default=today - timedelta(days=29), help="first day (29 days ago)")
        parser.add_argument("--until", type=_day, default=today, help="last day (today)")
        parser.add_argument("--course", default="", help="only in the course with this key")
        parser.add_argument("--profile", default="", help="only by the profile with this slug")
        parser.add_argument("--provider", default="", help="only of the provider with this name")
        parser.add_argument("--person", help="only of the person with this username")
        parser.add_argument("--format", choices=["table", "csv", "json"], default="table", help="(table)")
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--check", action="store_true", help="compare the sums with the rows")
        group.add_argument("--rebuild", action="store_true", help="and make them agree, a day at a time")

    def handle(self, *_args: Any, check: bool, rebuild: bool, **options: Any) -> None:
        if check or rebuild:
            self._audit(repair=rebuild)
            return
        by = By(options["by"])
        filters = _filters(options)
        if by == By.PERSON and filters.place:
            raise CommandError("A report by person takes no course, profile or provider.")
        records = (record(by, line) for line in lines_of(by, filters))
        write = {"table": _table, "csv": csv_lines, "json": _json}[options["format"]]
        for text in write(records):
            self.stdout.write(text, ending="")

    def _audit(self, *, repair: bool) -> None:
        """Says what it finds.

        Raises:
            CommandError: something differs and was not repaired.
        """
        found = 0
        for part in audit(repair=repair):
            found += part.differences
            if part.differences or repair:
                self.stdout.write(f"{part.name}: {part.differences} sums {'repaired' if repair else 'differ'}")
        if found and not repair:
            raise CommandError(f"{found} sums differ from the ledger. ai_usage_report --rebuild repairs them.")
        self.stdout.write(f"{found} sums repaired." if found else "All sums agree with the ledger.")


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-11-21")
    return day


def _filters(options: dict[str, Any]) -> Filters:
    try:
        course_id = str(CourseKey.from_string(options["course"])) if options["course"] else ""
    except InvalidKeyError:
        raise CommandError(f"{options['course']!r} is not a course key.") from None
    user_id = None
    if options["person"] is not None:
        users = get_user_model()
        user = users._default_manager.filter(**{users.USERNAME_FIELD: options["person"]}).first()
        if user is None:
            raise CommandError(f"Nobody has the username {options['person']}.")
        user_id = user.pk
    return Filters(options["since"], options["until"], course_id, options["profile"], options["provider"], user_id)


def _table(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    rows = [[str("" if value is None else value) for value in _shown(values)] for values in records]
    return _aligned(rows)


def _shown(values: dict[str, Any]) -> list[Any]:
    return [next(iter(values.values())), *(values.get(name) for name in TABLE)]


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    rows = [["", *TABLE], *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip() + "\n"


def _json(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A list, an entry on each line."""
    yield "["
    for number, values in enumerate(records):
        yield f"{',' if number else ''}\n{json.dumps(values, ensure_ascii=False)}"
    yield "\n]\n"
