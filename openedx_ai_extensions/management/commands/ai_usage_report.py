"""``manage.py ai_usage_report``: the admin's usage report as text."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.edxapp.access import find_user
from openedx_ai_extensions.ledger.audit import audit
from openedx_ai_extensions.management.base import AICommand
from openedx_ai_extensions.reports.usage import FIRST_DAY, LAST_DAY, By, Filters, csv_lines, lines_of, record

TABLE = ("runs", "failed", "lost", "refused", "tokens", "cost", "first_token_p50_ms", "first_token_p95_ms",
         "duration_p50_ms", "duration_p95_ms")  # fmt: skip


class Command(AICommand):
    help = "Report runs, tokens, cost and times; --check and --rebuild compare the stored sums with the ledger's rows."

    def add_arguments(self, parser: CommandParser) -> None:
        today = timezone.localdate(timezone=timezone.get_default_timezone())
        parser.add_argument("--by", choices=[str(by) for by in By], default=str(By.DAY), help="group by (day)")
        parser.add_argument("--since", type=_day, default=today - timedelta(days=29), help="first day (29 days ago)")
        parser.add_argument("--until", type=_day, default=today, help="last day (today)")
        parser.add_argument("--course", default="", help="only the course with this id")
        parser.add_argument("--profile", default="", help="only the profile with this slug")
        parser.add_argument("--provider", default="", help="only the provider with this name")
        parser.add_argument("--person", help="only the user with this username")
        parser.add_argument("--format", choices=["table", "csv", "json"], default="table", help="(table)")
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--check", action="store_true", help="compare the sums with the rows")
        group.add_argument("--rebuild", action="store_true", help="correct the sums, one day at a time")

    def handle(self, *_args: Any, check: bool, rebuild: bool, **options: Any) -> None:
        if check or rebuild:
            self._audit(repair=rebuild)
            return
        by = By(options["by"])
        filters = _filters(options)
        if by == By.PERSON and filters.place:
            raise CommandError("A report by person cannot be filtered by course, profile or provider.")
        records = (record(by, line) for line in lines_of(by, filters))
        write = {"table": _table, "csv": csv_lines, "json": _json}[options["format"]]
        for text in write(records):
            self.stdout.write(text, ending="")

    def _audit(self, *, repair: bool) -> None:
        """Print the differences, and raise CommandError if there are any and they were not repaired."""
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
        raise CommandError(f"{options['course']!r} is not a course id.") from None
    user_id = None if options["person"] is None else find_user(options["person"]).pk
    return Filters(options["since"], options["until"], course_id, options["profile"], options["provider"], user_id)


def _table(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Aligned columns: the group, then those of ``TABLE``."""
    rows = [["", *TABLE]]
    for values in records:
        cells = [next(iter(values.values())), *(values.get(name) for name in TABLE)]
        rows.append(["" if cell is None else str(cell) for cell in cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip() + "\n"


def _json(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A JSON list with one entry per line."""
    yield "["
    for number, values in enumerate(records):
        yield f"{',' if number else ''}\n{json.dumps(values, ensure_ascii=False)}"
    yield "\n]\n"
