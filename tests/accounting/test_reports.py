"""What reports say is what the ledger says: at any moment, by whatever they are cut, and after it was purged."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.ledger.models import BUCKETS, EDGES_MS, bucket, percentile
from openedx_ai_extensions.models import AIUsageByPerson, AIUsageByPlace, AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.runtime.retirement import retire_user
from tests.accounting.ledger import a_run

pytestmark = pytest.mark.django_db

OTHER_COURSE = "course-v1:OpenedX+Other+2026"


def command(name, *options) -> str:
    out = io.StringIO()
    call_command(name, *options, stdout=out)
    return out.getvalue()


def rows(*options) -> list[dict]:
    since = str(timezone.localdate() - timedelta(days=80))
    return json.loads(command("ai_usage_report", "--since", since, *options, "--format", "json"))


def agree() -> None:
    assert "All sums agree" in command("ai_usage_report", "--check")


@pytest.fixture
def ledger(learner, author):
    a_run(user=learner)
    a_run(user=learner, outcome="failed", error_code="service_unavailable", completion_tokens=0, first_token_ms=None)
    a_run(user=author, course_id=OTHER_COURSE, profile_slug="chat", provider="second", model="anthropic/x", days_ago=1)
    a_run(user=author, outcome="refused", calls=0, prompt_tokens=0, completion_tokens=0, cost_micros=0, provider="",
          model="", first_token_ms=None, days_ago=40)  # fmt: skip
    a_run(user=None, is_cached=True, cost_micros=0, first_token_ms=3000, days_ago=70, duration_ms=60_000)


@pytest.mark.parametrize("counted", [0, 2, 5], ids=["none summed up", "some summed up", "all summed up"])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--by", "course"], {"course-v1:OpenedX+AIX+demo": (4, 290, "5.000000"), OTHER_COURSE: (1, 100, "2.500000")}),
        (["--by", "profile"], {"summary": (4, 290, "5.000000"), "chat": (1, 100, "2.500000")}),
        (
            ["--by", "provider"],
            {"default": (3, 290, "5.000000"), "second": (1, 100, "2.500000"), "": (1, 0, "0.000000")},
        ),
        (["--by", "model", "--provider", "second"], {"second · anthropic/x": (1, 100, "2.500000")}),
        (["--by", "person"], {"learner": (2, 190, "5.000000"), "author": (2, 100, "2.500000")}),
        (["--by", "course", "--person", "author"],
         {OTHER_COURSE: (1, 100, "2.500000"), "course-v1:OpenedX+AIX+demo": (1, 0, "0.000000")}),
        (["--by", "profile", "--course", OTHER_COURSE], {"chat": (1, 100, "2.500000")}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_report_says_what_the_rows_say(ledger, monkeypatch, counted, options, expected):
    monkeypatch.setattr(counters, "ROWS_PER_COUNT", counted or 1)
    if counted:
        counters.count()
    name = options[1]
    assert {row[name]: (row["runs"], row["tokens"], row["cost"]) for row in rows(*options)} == expected
    agree()


def test_days_are_in_order_and_have_times(ledger):
    counters.count()
    days = rows("--by", "day")
    assert [row["day"] for row in days] == sorted(row["day"] for row in days)
    assert (days[0]["cached"], days[-1]["completed"], days[-1]["failed"]) == (1, 1, 1)
    assert days[0]["duration_p50_ms"] == pytest.approx(60_000, rel=0.42)
    assert days[-1]["first_token_p99_ms"] == pytest.approx(400, rel=0.42)
    assert sum(row["runs"] for row in rows("--by", "month")) == 5


def test_a_day_is_one_of_the_site_s_calendar(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    a_run(created_at=timezone.datetime(2026, 11, 20, 15, 30, tzinfo=timezone.get_fixed_timezone(0)))
    counters.count()
    text = command("ai_usage_report", "--since", "2026-11-01", "--until", "2026-11-30", "--format", "csv")
    assert [row["day"] for row in csv.DictReader(io.StringIO(text))] == ["2026-11-21"]
    agree()


def test_a_run_that_ended_after_it_was_given_up_is_corrected(learner):
    row = a_run(user=learner, outcome="lost", completion_tokens=0, duration_ms=None)
    counters.count()
    row.outcome, row.completion_tokens, row.duration_ms = "completed", 70, 9000
    counters.recount(row)
    (day,) = rows("--by", "day")
    assert (day["lost"], day["completed"], day["tokens"]) == (0, 1, 160)
    agree()


def test_what_differs_is_found_and_mended(ledger):
    counters.count()
    AIUsageByPlace.objects.filter(level="day").update(cost_micros=1)
    AIUsageByPlace.objects.filter(level="site").delete()
    AIUsageByPerson.objects.filter(level="month").delete()
    with pytest.raises(CommandError, match="sums differ"):
        command("ai_usage_report", "--check")
    assert "sums repaired." in command("ai_usage_report", "--rebuild")
    agree()
    assert rows("--by", "course")[0]["cost"] == "5.000000"


def test_letters_that_a_database_takes_for_the_same_are_counted_apart():
    a_run(provider="Azure")
    a_run(provider="azure")
    counters.count()
    agree()


@pytest.mark.parametrize("options", [["--by", "person", "--course", OTHER_COURSE], ["--person", "nobody"],
                                     ["--course", "no key"]])  # fmt: skip
def test_what_cannot_be_asked(learner, options):
    with pytest.raises(CommandError):
        command("ai_usage_report", *options)


def test_a_table_for_people(ledger):
    lines = command("ai_usage_report", "--by", "course").splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_old_runs_go_and_their_sums_stay(ledger, dry_run):
    before = rows("--by", "month")
    held = a_run(outcome="running", days_ago=60, held_until=timezone.now() + timedelta(minutes=1))
    AIUsageTotal.objects.create(key="person:999999|minute", starts_at=timezone.now() - timedelta(days=70))
    said = command("ai_purge_ledger", "--days", "30", "--batch", "1", *["--dry-run"] * dry_run)
    assert said.endswith("deleted: 0\n" if dry_run else "deleted: 2\n")  # nothing was counted before the purge did it
    assert AIWorkflowRun.objects.count() == (6 if dry_run else 4)
    assert AIWorkflowRun.objects.filter(pk=held.pk).exists()
    assert AIUsageTotal.objects.filter(key="person:999999|minute").exists() == dry_run
    held.delete()
    assert rows("--by", "month") == before
    agree()
    if not dry_run:
        assert "All sums agree" in command("ai_usage_report", "--rebuild")
        assert rows("--by", "month") == before


def test_the_ledger_keeps_as_long_as_the_site_wants(ledger, settings):
    settings.AI_EXTENSIONS_LEDGER_DAYS = 60
    command("ai_purge_ledger")
    assert AIWorkflowRun.objects.count() == 4
    with pytest.raises(CommandError):
        command("ai_purge_ledger", "--days", "0")


@pytest.mark.parametrize("counted", [True, False])
def test_a_person_who_is_retired_leaves_the_reports(ledger, learner, counted):
    if counted:
        counters.count()
    retire_user(learner)
    counters.count()
    assert [row["person"] for row in rows("--by", "person")] == ["author"]
    assert sum(row["runs"] for row in rows("--by", "course")) == 5
    agree()


@pytest.mark.parametrize("value", [0, 1, 100, 101, 399, 5000, 289_631, 400_000])
def test_a_time_is_in_the_bucket_of_its_edges(value):
    number = bucket(value)
    assert number == BUCKETS - 1 or value <= EDGES_MS[number]
    assert number == 0 or value > EDGES_MS[number - 1]


def test_percentiles_of_a_thousand_times():
    counts = [0] * BUCKETS
    for value in range(1, 10_001, 10):
        counts[bucket(value)] += 1
    for percent in (50, 95, 99):
        assert percentile(counts, percent) == pytest.approx(percent * 100, rel=0.42)
    assert percentile([0] * BUCKETS, 50) is None
