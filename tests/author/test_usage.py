"""How much AI is used in a course, in figures without names."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from openedx_ai_extensions.ledger import counters
from tests.accounting.ledger import a_run
from tests.author.conftest import Pages, words
from tests.rights.course import MAIN, OTHER


@pytest.fixture
def used(learner):
    a_run(user=learner, course_id=MAIN)
    a_run(user=learner, course_id=MAIN, profile_slug="chat", outcome="refused", calls=0, days_ago=3)
    a_run(user=learner, course_id=MAIN, profile_slug="chat", outcome="failed", days_ago=20)
    a_run(user=learner, course_id=MAIN, days_ago=60)
    a_run(user=learner, course_id=OTHER, prompt_tokens=1_000_000)
    counters.count()
    a_run(user=learner, course_id=MAIN)


def table(page, name):
    rows = f"//table[caption='{name}']//tr"
    return [[" ".join(cell.text_content().split()) for cell in row] for row in page.find(rows)][1:]


@pytest.mark.parametrize(
    ("query", "days", "rows"),
    [
        pytest.param({}, 30, [["chat", "2", "200", "0", "1", "1"], ["summary", "2", "200", "2", "0", "0"]], id="usual"),
        pytest.param(
            {"days": "7"}, 7, [["summary", "2", "200", "2", "0", "0"], ["chat", "1", "100", "0", "1", "0"]], id="a week"
        ),
        pytest.param(
            {"days": "90"}, 90, [["summary", "3", "300", "3", "0", "0"], ["chat", "2", "200", "0", "1", "1"]], id="more"
        ),
        pytest.param({"days": "31"}, 30, None, id="no such choice"),
    ],
)
def test_figures(as_author, used, query, days, rows):
    page = as_author.get("usage", query)
    by_workflow, by_day = table(page, "By workflow"), table(page, "By day")
    assert len(by_day) == days + 1
    assert by_workflow[-1] == by_day[-1]
    if rows:
        assert by_workflow[:-1] == rows
        assert by_workflow[-1][1] == str(sum(int(row[1]) for row in rows))
    assert page.find("//svg[@role='img']")


def test_money_is_for_those_who_see_the_site_s_report(as_author, author, used, people):
    page = as_author.get("usage")
    assert "Cost" not in words(page, "//th")
    assert "USD" not in page.text
    author.user_permissions.add(Permission.objects.get(codename="view_usage_report"))
    for person in (author, people["admin"]):
        page = Pages(person).get("usage")
        assert words(page, "//th").count("Cost") == 2
        assert table(page, "By workflow")[0][-1] == "5.00 USD"


def test_no_names_and_few_queries(as_author, used, learner):
    as_author.get("usage")
    with CaptureQueriesContext(connection) as captured:
        page = as_author.get("usage", {"days": "90"})
    assert learner.username not in page.text
    assert "learner@example.com" not in page.source
    assert len(captured) <= 16


def test_a_course_without_any(as_author):
    page = as_author.get("usage")
    assert "There were no AI requests in this course in this period." in page.text
    assert not page.find("//table")
