"""Usage reports, from the sums by day and month plus the rows that are not counted yet; also as rows for files."""

from __future__ import annotations

import csv
import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet, Sum
from django.http import StreamingHttpResponse

from openedx_ai_extensions.ledger.audit import midnight
from openedx_ai_extensions.ledger.counters import COUNTING_LOCK_KEY
from openedx_ai_extensions.ledger.models import (
    DURATION,
    FIRST_TOKEN,
    AIUsageByPerson,
    AIUsageByPlace,
    AIUsageTotal,
    AIWorkflowRun,
    RollupLevel,
    percentile,
)
from openedx_ai_extensions.ledger.prices import MICRO
from openedx_ai_extensions.ledger.rollups import COLUMNS, SUMS, Fact, Figures, add_run, add_times, day_of, facts, plus

MAX_READS = 5  # of one report, while runs are being counted
# Other days are typing errors, and the last ones before year 10000 cannot be incremented.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
PEOPLE_PER_QUERY = 2000
PERCENTILES = (50, 95, 99)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet runs cells that start with these as formulas
Group = tuple[Any, ...]


class By(enum.StrEnum):
    """The grouping of a report."""

    DAY = "day"
    MONTH = "month"
    COURSE = "course"
    PROFILE = "profile"
    PROVIDER = "provider"
    MODEL = "model"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Filters:
    """The runs of a report: from one day to another, both included; None and empty values match everything.

    Reports about one person are read from the ledger, as far back as its rows exist.
    """

    since: date
    until: date
    course_id: str = ""
    profile_slug: str = ""
    provider: str = ""
    user_id: int | None = None

    @property
    def place(self) -> dict[str, str]:
        stated = {"course_id": self.course_id, "profile_slug": self.profile_slug, "provider": self.provider}
        return {name: value for name, value in stated.items() if value}


@dataclass(slots=True)
class Line:
    """The sums of a group of runs.

    Attributes:
        group: the common values.
        figures: the sums, in the order of ``COLUMNS``.
        running: the number of runs under way.
        name: the group as text.
    """

    group: Group
    figures: Figures = field(default_factory=lambda: [0] * len(COLUMNS))
    running: int = 0
    name: str = ""

    def add(self, figures: Figures) -> None:
        self.figures = [*plus(self.figures, figures), *self.figures[len(figures) :]]

    def add_fact(self, fact: Fact) -> None:
        add_run(self.figures, fact, 1)
        add_times(self.figures, fact, 1)
        self.running += fact.outcome == AIWorkflowRun.Outcome.RUNNING

    def of(self, column: str) -> int:
        return self.figures[COLUMNS.index(column)]

    @property
    def runs(self) -> int:
        return sum(self.figures[:5]) + self.running

    @property
    def errors(self) -> int:
        return self.of("failed") + self.of("lost")

    @property
    def refused(self) -> int:
        return self.of("refused")

    @property
    def tokens(self) -> int:
        return self.of("prompt_tokens") + self.of("completion_tokens")

    @property
    def cost_micros(self) -> int:
        return self.of("cost_micros")

    def first_token(self, percent: int) -> int | None:
        """The time to the first token, in milliseconds, that ``percent`` per cent of the runs did not exceed."""
        return percentile(self._times(FIRST_TOKEN), percent)

    def duration(self, percent: int) -> int | None:
        """The duration, in milliseconds, that ``percent`` per cent of the runs did not exceed."""
        return percentile(self._times(DURATION), percent)

    def _times(self, columns: Sequence[str]) -> Figures:
        start = COLUMNS.index(columns[0])
        return self.figures[start : start + len(columns)]


# The fields that identify a group, in sums and in ledger rows.
GROUPS: dict[By, tuple[str, ...]] = {
    By.DAY: ("day",),
    By.MONTH: ("day",),
    By.COURSE: ("course_id",),
    By.PROFILE: ("profile_slug",),
    By.PROVIDER: ("provider",),
    By.MODEL: ("provider", "model"),
    By.PERSON: ("user_id",),
}


def report(by: By, filters: Filters) -> list[Line]:
    """The lines of a report: days in order, everything else by cost. Includes rows that are not counted yet."""
    lines = _read_consistently(lambda: _lines(by, filters))
    if by in {By.DAY, By.MONTH}:
        return sorted(lines.values(), key=lambda line: line.group)
    return sorted(lines.values(), key=_cost_order)


def every_period(by: By, filters: Filters, lines: Sequence[Line]) -> list[tuple[str, Line]]:
    """The lines of a report by day or month by name, with empty lines for periods without runs."""
    known = {line.name: line for line in lines}
    days = (filters.since + timedelta(days=after) for after in range((filters.until - filters.since).days + 1))
    names = dict.fromkeys(day.isoformat() if by == By.DAY else day.isoformat()[:7] for day in days)
    return [(name, known.get(name) or Line((name,), name=name)) for name in names]


def _cost_order(line: Line) -> tuple[Any, ...]:
    return -line.cost_micros, -line.runs, line.group


def total_of(lines: Sequence[Line]) -> Line:
    total = Line(())
    for line in lines:
        total.add(line.figures)
        total.running += line.running
    return total


def top_people(filters: Filters, most: int) -> list[Line]:
    """The people with the highest costs."""

    def read() -> dict[Group, Line]:
        recent = _recent(By.PERSON, filters)
        sums = _sums(By.PERSON, filters, ("cost_micros", "requests"))
        top = [row[0] for row in sums.order_by("-sum_cost_micros", "-sum_requests", "user_id")[:most]]
        return _people([*top, *(user_id for (user_id,) in recent if user_id not in top)], filters, recent)

    return _named(sorted(_read_consistently(read).values(), key=_cost_order)[:most])


def all_people(filters: Filters) -> Iterator[Line]:
    """All people with usage, ordered by id, read in batches."""
    last = 0
    while True:
        recent = {group: line for group, line in _recent(By.PERSON, filters).items() if group[0] > last}
        sums = _sums(By.PERSON, filters, ("requests",)).filter(user_id__gt=last).order_by("user_id")
        ids = sorted({row[0] for row in sums[:PEOPLE_PER_QUERY]} | {group[0] for group in recent})[:PEOPLE_PER_QUERY]
        if not ids:
            return
        last = ids[-1]

        def read(ids: Sequence[int] = ids) -> dict[Group, Line]:
            return _people(ids, filters, _recent(By.PERSON, filters))

        lines = _read_consistently(read)
        yield from _named([lines[(user_id,)] for user_id in ids if (user_id,) in lines])


def runs(filters: Filters) -> QuerySet[AIWorkflowRun]:
    """The ledger rows of a report."""
    person = {} if filters.user_id is None else {"user_id": filters.user_id}
    start, end = midnight(filters.since), midnight(filters.until + timedelta(days=1))
    return AIWorkflowRun.objects.filter(created_at__gte=start, created_at__lt=end, **filters.place, **person)


def _lines(by: By, filters: Filters) -> dict[Group, Line]:
    if filters.user_id is not None and by != By.PERSON:
        return _fold(by, facts(runs(filters)))
    lines = _recent(by, filters)
    width = len(GROUPS[by])
    for row in _sums(by, filters).iterator():
        _line(lines, _group(by, row[:width])).add(list(map(int, row[width:])))
    return lines


def _recent(by: By, filters: Filters) -> dict[Group, Line]:
    """The lines of rows that are not counted yet."""
    return _fold(by, facts(runs(filters).filter(is_counted=False)))


def _fold(by: By, rows: Iterator[Fact]) -> dict[Group, Line]:
    lines: dict[Group, Line] = {}
    for fact in rows:
        if by != By.PERSON or fact.user_id is not None:
            _line(lines, _group_of(by, fact)).add_fact(fact)
    return lines


def _people(ids: Sequence[int], filters: Filters, recent: dict[Group, Line]) -> dict[Group, Line]:
    lines = {group: line for group, line in recent.items() if group[0] in set(ids)}
    for user_id, *figures in _sums(By.PERSON, filters).filter(user_id__in=ids):
        _line(lines, (user_id,)).add(list(map(int, figures)))
    return lines


def _line(lines: dict[Group, Line], group: Group) -> Line:
    return lines.setdefault(group, Line(group, name=" · ".join(str(part) for part in group if part)))


def _group_of(by: By, fact: Fact) -> Group:
    if by in {By.DAY, By.MONTH}:
        return _group(by, (day_of(fact.created_at),))
    return tuple(getattr(fact, name) for name in GROUPS[by])


def _group(by: By, values: Sequence[Any]) -> Group:
    return (values[0].isoformat()[:7],) if by == By.MONTH else tuple(values)


def _sums(by: By, filters: Filters, columns: Sequence[str] = ()) -> QuerySet[Any, Any]:
    """The sums of each group, added up by the database; whole months are read from the monthly sums."""
    rows: QuerySet[Any] = AIUsageByPlace.objects.filter(**filters.place)
    columns = columns or (SUMS if by == By.PERSON else COLUMNS)
    if by == By.PERSON:
        rows = AIUsageByPerson.objects.all()
        rows = rows if filters.user_id is None else rows.filter(user_id=filters.user_id)
    is_of_courses = by == By.COURSE or bool(filters.course_id)
    if by != By.PERSON and (by == By.DAY or not is_of_courses):
        level = RollupLevel.DAY if is_of_courses else RollupLevel.SITE
        rows = rows.filter(level=level, day__gte=filters.since, day__lte=filters.until)
    else:
        rows = rows.filter(_months_and_days(filters.since, filters.until))
    sums = {f"sum_{name}": Sum(name) for name in columns}
    return rows.order_by().values_list(*GROUPS[by]).annotate(**sums)


def _months_and_days(since: date, until: date) -> Q:
    """The whole months in a period, and the days before and after them."""
    after = until + timedelta(days=1)
    first = since if since.day == 1 else (since.replace(day=1) + timedelta(days=32)).replace(day=1)
    last = after.replace(day=1)
    if first >= last:
        return Q(level=RollupLevel.DAY, day__gte=since, day__lte=until)
    return (
        Q(level=RollupLevel.MONTH, day__gte=first, day__lt=last)
        | Q(level=RollupLevel.DAY, day__gte=since, day__lt=first)
        | Q(level=RollupLevel.DAY, day__gte=last, day__lte=until)
    )


def _read_consistently(read: Callable[[], dict[Group, Line]]) -> dict[Group, Line]:
    """Repeat a read if rows were counted meanwhile: they might be missing or included twice."""
    for _number in range(MAX_READS):
        before = _count_version()
        lines = read()
        if _count_version() == before:
            break
    return lines


def _count_version() -> int | None:
    return AIUsageTotal.objects.filter(key=COUNTING_LOCK_KEY).values_list("requests", flat=True).first()


def _named(lines: list[Line]) -> list[Line]:
    """Fill in the usernames."""
    people = get_user_model()._default_manager.in_bulk([line.group[0] for line in lines])
    for line in lines:
        person = people.get(line.group[0])
        line.name = person.get_username() if person else str(line.group[0])
    return lines


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
