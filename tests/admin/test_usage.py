"""The usage report, the ledger and the limits in the admin."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.models import AILimit
from tests.accounting.ledger import a_run
from tests.conftest import COURSE_ID

pytestmark = pytest.mark.django_db

REPORT, RUN, LIMIT = "aiusagebyplace", "aiworkflowrun", "ailimit"


def table(page) -> dict[str, list[str]]:
    """The cells of each line by its name."""
    lines = page.find("//table[contains(@class, 'aiext-table')]/*[self::tbody or self::tfoot]/tr[th]")
    return {line.xpath("string(th)"): [cell.text_content() for cell in line.xpath("td")] for line in lines}


def csv_of(clerk, **query):
    return clerk.client.get(reverse("admin:openedx_ai_extensions_aiusagebyplace_csv"), query)


@pytest.fixture
def runs(learner):
    a_run(user=learner)
    a_run(user=learner, outcome="failed", days_ago=1, profile_slug="chat")
    counters.count()
    a_run(user=learner, outcome="refused", cost_micros=0)


@pytest.mark.parametrize("by", ["day", "month", "course", "profile", "provider", "model", "person"])
def test_a_report_has_a_chart_and_the_same_in_numbers(staff_with, runs, by):
    page = staff_with("view_usage_report").get(REPORT, by=by, show="tokens")
    assert page.status == 200
    assert table(page)["All"][:3] == ["5.00 USD", "300", "3"]
    assert page.find("//*[local-name()='svg'][@role='img']/*[local-name()='title']")
    assert len(page.find("//table[contains(@class, 'aiext-table')]/thead//th[not(@scope)]")) == 0
    shown = {bar.text_content() for bar in page.find("//*[local-name()='rect']/*[local-name()='title']")}
    assert any(text.endswith((": 100", ": 200", ": 300")) for text in shown)


def test_filters(admin, runs, learner):
    assert table(admin.get(REPORT, by="profile", profile="chat")).keys() == {"chat", "All"}
    assert table(admin.get(REPORT, by="course", person="learner")).keys() == {COURSE_ID, "All"}
    (link,) = admin.get(REPORT, by="profile", profile="chat").find("//tbody//th/a/@href")
    assert len(table(admin.get(REPORT, **dict(parse_qsl(link[1:]))))) == 2
    day = str(timezone.localdate() - timedelta(days=5))
    assert "There were no runs" in admin.get(REPORT, since=day, until=day).text


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"person": "nobody"}, "There is no user with the username"),
        ({"course": "no key"}, "not a course id"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "The last day must not be before the first"),
        ({"by": "person", "profile": "chat"}, "cannot be filtered by course"),
    ],
)
def test_what_cannot_be_asked_is_said(admin, query, problem):
    page = admin.get(REPORT, **query)
    assert problem in page.text
    assert not page.find("//table[contains(@class, 'aiext-table')]")
    assert csv_of(admin, **query).status_code == 400


def test_the_csv_file_streams_and_holds_no_formula(admin, runs):
    a_run(profile_slug="=HYPERLINK(1)")
    response = csv_of(admin, by="profile")
    assert response.streaming
    lines = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert {line["profile"]: line["cost"] for line in lines} == {
        "summary": "2.500000", "chat": "2.500000", "'=HYPERLINK(1)": "2.500000",
    }  # fmt: skip


def test_who_may_not_see_the_report(staff_with, runs):
    clerk = staff_with("view_aiworkflowrun")
    assert clerk.get(REPORT).status == 403
    assert csv_of(clerk).status_code == 403
    assert clerk.get(RUN).status == 200


def test_the_ledger_is_found_by_run_person_and_course_and_never_counted(admin, learner, author):
    a_run(run_id="one", user=learner)
    a_run(run_id="two", user=author, course_id="course-v1:OpenedX+Other+2026")
    a_run(run_id="old", user=author, days_ago=20)
    with CaptureQueriesContext(connection) as captured:
        assert admin.get(RUN).column("run_id") == ["two", "one"]
    assert not any("COUNT(" in query["sql"] for query in captured)
    assert admin.get(RUN, days="31").column("run_id") == ["old", "two", "one"]
    for text, found in {"one": ["one"], "auth": ["old", "two"], COURSE_ID: ["old", "one"], "x": []}.items():
        assert admin.get(RUN, q=text).column("run_id") == found
    assert admin.get(RUN, outcome__exact="failed").column("run_id") == []


def test_a_run_can_be_read_and_not_changed(admin, learner):
    run = a_run(user=learner, outcome="failed", error_code="service_unavailable")
    page = admin.get(RUN, "change", pk=run.pk)
    assert (page.shown("error_code"), page.shown("cost")) == ("service_unavailable", "2.50 USD")
    assert not page.find("//input[@type='submit' and @name='_save']")
    assert not page.find("//a[contains(@class, 'deletelink')]")
    assert admin.post(RUN, "delete", {"post": "yes"}, pk=run.pk).status == 403


def test_limits_say_how_full_they_are(admin, learner, settings):
    settings.AI_EXTENSIONS_LIMITS = [
        {"per": "site", "period": "month", "money": 10},
        {"per": "person", "period": "day", "requests": 9},
    ]
    a_run(user=learner)
    counters.count()
    a_run(user=learner)
    AILimit.objects.create(per="course", period="month", requests=4)
    own = AILimit.objects.create(per="person", period="month", tokens=400, user=learner)
    page = admin.get(LIMIT)
    assert page.column("used_now") == [f"{COURSE_ID}: 2 of 4 requests (50 %)", "200 of 400 tokens (50 %)"]
    assert "5.00 USD of 10.00 USD (50 %)" in page.text
    assert "Each is counted separately." in page.text
    assert admin.get(LIMIT, "change", pk=own.pk).shown("used_now") == "200 of 400 tokens (50 %)"


def test_a_limit_is_written(admin, make_scope):
    make_scope()
    page = admin.get(LIMIT, "add")
    assert COURSE_ID in page.field("course_id", "//datalist/option/@value")
    data = {"per": "course", "period": "day", "enabled": "on", "requests": "5", "course_id": COURSE_ID, "tier": ""}
    assert admin.post(LIMIT, "add", data).errors("course_id") == []
    assert str(AILimit.objects.get().course_id) == COURSE_ID
    page = admin.post(LIMIT, "add", {**data, "per": "site"})
    assert page.errors("course_id") == ["A limit for the whole site cannot be narrowed by this."]
