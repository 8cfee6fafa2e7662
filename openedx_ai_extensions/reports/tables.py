"""Reports as rows of text and numbers, for files and terminals."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

from openedx_ai_extensions.ledger.prices import MICRO
from openedx_ai_extensions.reports.usage import By, Filters, Line, all_people, report

PERCENTILES = (50, 95, 99)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet runs cells that start with these as formulas


def lines_of(by: By, filters: Filters) -> Iterable[Line]:
    """All lines of a report."""
    return all_people(filters) if by == By.PERSON else report(by, filters)


def record(by: By, line: Line) -> dict[str, Any]:
    """A line as a dictionary with language-independent names: money as a decimal string, times in milliseconds."""
    counted = ("completed", "failed", "cancelled", "refused", "lost")
    values: dict[str, Any] = {str(by): line.name, "runs": line.runs, **{name: line.of(name) for name in counted}}
    values |= {name: line.of(name) for name in ("requests", "cached", "prompt_tokens", "cached_tokens")}
    values |= {"completion_tokens": line.of("completion_tokens"), "tokens": line.tokens}
    values["cost"] = f"{line.cost_micros // MICRO}.{line.cost_micros % MICRO:06}"
    if by != By.PERSON:
        values |= {f"first_token_p{percent}_ms": line.first_token(percent) for percent in PERCENTILES}
        values |= {f"duration_p{percent}_ms": line.duration(percent) for percent in PERCENTILES}
    return values


def csv_lines(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The records as lines of a CSV file, generated one by one; formulas are escaped."""
    writer = csv.writer(_Echo())
    for number, values in enumerate(records):
        if number == 0:
            yield writer.writerow(values)
        yield writer.writerow(map(_escaped, values.values()))


def csv_response(name: str, records: Iterable[dict[str, Any]]) -> StreamingHttpResponse:
    """A CSV file to download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingHttpResponse(csv_lines(records), content_type="text/csv; charset=utf-8", headers=headers)


def _escaped(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


class _Echo:
    """A file that returns what is written to it."""

    def write(self, text: str) -> str:
        return text
