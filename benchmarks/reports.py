"""Reports over millions of runs: ``python -m benchmarks.reports [--rows 5000000]``.

Runs are copied from a few thousand random ones by the database itself; then the sums are made of them as an operator
would (``ai_usage_report --rebuild``), and every report is timed. With ``TEST_DATABASE=mariadb`` on MariaDB.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import time
from datetime import UTC, datetime, timedelta

from benchmarks.site import test_site

SEED_ROWS = 20_000
DAYS = 365
COURSES = 300
PEOPLE = 20_000
RUNS_AT_ONCE = 6  # of a person
TARGET = 2.0  # seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=5_000_000)
    rows = options.parse_args().rows
    with test_site():
        timed("fill the ledger", lambda: fill(rows))
        timed("sum it up (--rebuild)", lambda: command("--rebuild"))
        timed("compare the sums with every run (--check)", lambda: command("--check"))
        print(f"{'memory of this process at most':<58} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
        sizes()
        time_reports()


def timed(name: str, call) -> None:
    start = time.perf_counter()
    call()
    print(f"{name:<58} {time.perf_counter() - start:8.1f} s", flush=True)


def fill(rows: int) -> None:
    """A year of runs: few courses have most of them, and each profile keeps to its provider."""
    from django.contrib.auth import get_user_model
    from django.db import connection

    from openedx_ai_extensions.models import AIWorkflowRun

    chance = random.Random(5)
    person = get_user_model()
    person.objects.bulk_create(person(username=f"person-{number}") for number in range(PEOPLE))
    ids = list(person.objects.values_list("pk", flat=True))
    profiles = [
        (f"profile-{n}", *provider)
        for n, provider in enumerate(
            [
                ("default", "openai/gpt-4.1-mini"),
                ("default", "openai/gpt-4.1-mini"),
                ("claude", "anthropic/claude"),
                ("local", "openai/llama"),
            ]
        )
    ]
    start = datetime.now(UTC) - timedelta(days=DAYS)
    seeds = []
    for number in range(min(SEED_ROWS, rows)):
        course = int(COURSES * chance.random() ** 2.5)
        slug, provider, model = profiles[(course + (chance.random() < 0.3)) % len(profiles)]
        first = int(chance.lognormvariate(6.5, 0.6))
        outcome = chance.choices(["completed", "failed", "cancelled", "refused"], [90, 4, 3, 3])[0]
        seeds.append(AIWorkflowRun(
            id=number + 1, run_id=f"{number:032x}", created_at=start + timedelta(days=DAYS) * (number / rows),
            user_id=chance.choice(ids), course_id=f"course-v1:Org+C{course}+2026", profile_slug=slug, action="run",
            service_variant="lms", provider=provider, model=model, calls=1, prompt_tokens=chance.randrange(200, 4000),
            completion_tokens=chance.randrange(20, 800), cost_micros=chance.randrange(100, 5000), outcome=outcome,
            first_token_ms=first, duration_ms=first + int(chance.lognormvariate(8, 0.5)), is_counted=True,
        ))  # fmt: skip
    AIWorkflowRun.objects.bulk_create(seeds, batch_size=1000)
    copied = [f.column for f in AIWorkflowRun._meta.fields if f.column not in {"id", "created_at", "user_id"}]
    columns = ", ".join(connection.ops.quote_name(name) for name in copied)
    table = AIWorkflowRun._meta.db_table
    # Copies are made in the order of time, as a ledger is written, a person's runs of a day together.
    later, person_id = {
        "mysql": ("DATE_ADD(%s, INTERVAL {seconds} SECOND)", "FLOOR((id + {have}) / {together}) * 7919 %% {people}"),
        "sqlite": ("datetime(%s, '+' || {seconds} || ' seconds')", "(id + {have}) / {together} * 7919 %% {people}"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0")
        have = len(seeds)
        while have < rows:
            number = min(have, rows - have, 500_000)
            seconds = f"ROUND((id + {have}) * {DAYS * 86400 / rows})"
            cursor.execute(
                f"INSERT INTO {table} (id, {columns}, created_at, user_id) SELECT id + {have}, {columns}, "
                f"{later.format(seconds=seconds)}, "
                f"{ids[0]} + {person_id.format(have=have, together=RUNS_AT_ONCE, people=PEOPLE)} "
                f"FROM {table} WHERE id <= {number}",
                [start.strftime("%Y-%m-%d %H:%M:%S")],
            )
            have += number
        if connection.vendor == "mysql":
            cursor.execute(f"ANALYZE TABLE {table}")
    assert AIWorkflowRun.objects.count() == rows


def command(option: str) -> None:
    """Ends the benchmark when something does not agree."""
    from django.core.management import call_command

    call_command("ai_usage_report", option, stdout=io.StringIO())


def sizes() -> None:
    from openedx_ai_extensions.models import AIUsageByPerson, AIUsageByPlace, AIWorkflowRun

    for model in (AIWorkflowRun, AIUsageByPlace, AIUsageByPerson):
        print(f"{model.__name__:<58} {model.objects.count():>10} rows")


def time_reports() -> None:
    """Each report over a year and a month, unfiltered and filtered."""
    from django.utils import timezone

    from openedx_ai_extensions.reports.usage import By, Filters, report, top_people

    today = timezone.localdate()
    course = {"course_id": "course-v1:Org+C0+2026"}
    for name, days, narrowed in (
        ("a year", DAYS, {}),
        ("a month", 30, {}),
        ("a year of a course", DAYS, course),
        ("a year of a profile", DAYS, {"profile_slug": "profile-0"}),
        ("a year of a provider", DAYS, {"provider": "default"}),
    ):
        filters = Filters(today - timedelta(days=days), today, **narrowed)
        for by in By:
            if by == By.PERSON and narrowed:
                continue
            start = time.perf_counter()
            lines = top_people(filters, 100) if by == By.PERSON else report(by, filters)
            seconds = time.perf_counter() - start
            verdict = "ok" if seconds <= TARGET else "MISSED"
            print(
                f"{f'{name}, per {by}: {len(lines)} lines':<58} {seconds:8.2f} s   (at most {TARGET} s: {verdict})",
                flush=True,
            )


if __name__ == "__main__":
    main()
