"""Limits of requests, tokens and money, over REST: who may, who may not, and what they read."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.checks import run_checks
from django.utils import timezone

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.models import AILimit, AIWorkflowRun
from tests.api.conftest import error_of
from tests.conftest import COURSE_ID

NOT_STREAMED = {"processor_config": {"LLMProcessor": {"stream": False}}}
USAGE = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}


@pytest.fixture
def provider(provider, settings):
    settings.AI_EXTENSIONS["default"]["PRICES"] = {"INPUT": 100, "OUTPUT": 100}
    settings.AI_EXTENSIONS_EXPECTED_ANSWER_TOKENS = 10
    provider.reply("Green.", usage=USAGE)
    return provider


@pytest.fixture
def scope(make_scope, provider):
    return make_scope(patch=NOT_STREAMED)


def allowed(api, most: int = 6) -> int:
    """How many requests go through, until one is refused."""
    for number in range(most):
        response = api.run("Why green?")
        if response.status_code == 429:
            return number
        assert response.status_code == 200, response.content
    return most


@pytest.mark.parametrize("per", ["person", "course", "profile", "provider", "site"])
@pytest.mark.parametrize("period", ["minute", "hour", "day", "month"])
def test_requests(as_learner, scope, settings, per, period):
    settings.AI_EXTENSIONS_LIMITS = [{"per": per, "period": period, "requests": 2}]
    if period == "minute" and timezone.now().second > 55:
        pytest.skip("the minute is about to end")
    assert allowed(as_learner) == 2
    response = as_learner.run("Why green?")
    assert error_of(response) == (429, "quota_exceeded")
    error = response.json()["error"]
    assert (error["limit"], error["scope"]) == ("requests", per)
    resets_at = datetime.fromisoformat(error["resets_at"])
    assert timezone.now() < resets_at < timezone.now() + timedelta(days=32)
    assert 0 < int(response["Retry-After"]) <= 32 * 86400


@pytest.mark.parametrize(
    ("limit", "times"),
    [
        ({"requests": None}, 6),
        ({"requests": 0}, 0),
        ({"requests": 3}, 3),
        ({"tokens": 0}, 0),
        ({"tokens": 100_000}, 6),
        ({"money": 0}, 0),
        ({"money": 100}, 6),
    ],
    ids=str,
)
def test_blank_is_no_limit_and_0_is_none_allowed(as_learner, scope, settings, limit, times):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", **limit}]
    assert allowed(as_learner) == times


@pytest.mark.parametrize("kind", ["tokens", "money"])
def test_tokens_and_money_stop_before_they_run_out(as_learner, scope, settings, kind):
    """What a request may take is reserved before it is made: one that might go over is not made."""
    first = AIWorkflowRun.objects
    assert as_learner.run("Why green?").status_code == 200
    spent = 100 if kind == "tokens" else 0.01
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", kind: spent * 50}]
    number = 1 + allowed(as_learner, most=60)
    assert 20 < number <= 50
    run = first.latest("pk")
    assert (run.outcome, run.error_code, run.refused_by) == ("refused", "quota_exceeded", f"person/day/{kind}")
    assert (run.calls, run.tokens, run.held_tokens) == (0, 0, 0)


def test_the_provider_is_not_asked_when_nothing_is_left(as_learner, scope, settings, provider):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 1}]
    assert allowed(as_learner) == 1
    assert len(provider.requests) == 1


def test_one_person_s_limit_is_not_another_s(as_learner, as_author, scope, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 2}]
    assert (allowed(as_learner), allowed(as_author)) == (2, 2)


def test_a_course_s_limit_is_for_all_in_it(as_learner, as_author, scope, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "course", "period": "day", "requests": 3}]
    assert (allowed(as_learner), allowed(as_author)) == (3, 0)


@pytest.mark.parametrize(
    ("limits", "learner_gets", "author_gets"),
    [
        ([{"requests": 1}, {"requests": 4, "tier": "staff"}], 1, 4),
        ([{"requests": 1}, {"tier": "staff"}], 1, 6),
        ([{"requests": 4}, {"requests": 1, "profile": "summary"}], 1, 1),
        ([{"requests": 4}, {"requests": 1, "profile": "another"}], 4, 4),
        ([{"requests": 1}, {"requests": 3, "course": COURSE_ID}], 3, 3),
        ([{"requests": 1}, {"requests": 3, "course": COURSE_ID}, {"requests": 2, "tier": "staff"}], 3, 3),
    ],
    ids=[
        "more for staff",
        "none for staff",
        "less of one profile",
        "less of another profile",
        "more in one course",
        "a course is more specific than a tier",
    ],
)
def test_the_most_specific_holds(as_learner, as_author, scope, settings, limits, learner_gets, author_gets):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", **limit} for limit in limits]
    assert (allowed(as_learner), allowed(as_author)) == (learner_gets, author_gets)


def test_the_admin_s_limit_comes_before_the_settings(as_learner, as_author, learner, scope, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 1}]
    AILimit.objects.create(per="person", period="day", requests=3)
    assert allowed(as_learner) == 3
    AILimit.objects.create(per="person", period="day", requests=5, user=learner)
    assert (allowed(as_learner), allowed(as_author)) == (2, 3)
    AILimit.objects.update(enabled=False)
    assert error_of(as_author.run("Why green?")) == (429, "quota_exceeded")


def test_of_several_the_narrowest_is_named(as_learner, scope, settings):
    settings.AI_EXTENSIONS_LIMITS = [
        {"per": per, "period": period, "requests": 1}
        for per in ("site", "course", "person")
        for period in ("hour", "month", "day")
    ]
    assert allowed(as_learner) == 1
    error = as_learner.run("Why green?").json()["error"]
    assert error["scope"] == "person"
    assert datetime.fromisoformat(error["resets_at"]).astimezone(timezone.get_default_timezone()).day == 1


def test_a_new_period_begins_with_nothing_used(as_learner, scope, settings, monkeypatch):
    monkeypatch.setattr("openedx_ai_extensions.ledger.run.RUNS_PER_COUNT", 10**9)  # what is counted stays where it was
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "hour", "requests": 2}]
    assert allowed(as_learner) == 2
    AIWorkflowRun.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert allowed(as_learner) == 2


@pytest.mark.parametrize("counted", [False, True], ids=["from the rows", "from the totals"])
def test_what_was_counted_counts(as_learner, scope, settings, counted, monkeypatch):
    monkeypatch.setattr("openedx_ai_extensions.ledger.run.RUNS_PER_COUNT", 10**9)  # only when the test says so
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "month", "requests": 4}]
    for _number in range(3):
        as_learner.run("Why green?")
        if counted:
            assert counters.count() == 1
    assert counters.count() == (0 if counted else 3)
    assert counters.count() == 0
    assert allowed(as_learner) == 1


def test_a_run_whose_process_died_counts_what_it_held(as_learner, learner, scope, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "month", "tokens": 5000}]
    now = timezone.now()
    lost = AIWorkflowRun.objects.create(
        user=learner, outcome="running", calls=1, held_tokens=4990, created_at=now, run_id="lost",
        held_until=now + timedelta(seconds=60),
    )  # fmt: skip
    assert allowed(as_learner) == 0
    AIWorkflowRun.objects.filter(pk=lost.pk).update(held_until=now - timedelta(seconds=60))
    assert allowed(as_learner) == 0
    counters.count()
    lost.refresh_from_db()
    assert (lost.outcome, lost.held_tokens, lost.tokens, lost.is_counted) == ("lost", 0, 4990, True)
    assert allowed(as_learner) == 0


@pytest.mark.parametrize(
    ("policy", "limited", "status"),
    [
        ("block", "money", 500),
        ("block", "requests", 200),
        ("warn", "money", 200),
        ("tokens_only", "money", 200),
    ],
)
def test_a_model_whose_price_nobody_knows(as_learner, scope, settings, caplog, policy, limited, status):
    del settings.AI_EXTENSIONS["default"]["PRICES"]
    settings.AI_EXTENSIONS_UNKNOWN_PRICE = policy
    settings.AI_EXTENSIONS_LIMITS = [{"per": "site", "period": "month", limited: 5}]
    assert as_learner.run("Why green?").status_code == status
    assert ("ledger.price.unknown" in caplog.text) == (limited == "money" and policy != "tokens_only")


def test_work_in_the_background_is_refused_at_once(as_learner, make_scope, provider, settings):
    make_scope(base_filepath="base/flashcards.json5", patch=None)
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 0}]
    assert error_of(as_learner.run({"num_cards": 2}, action="run_async")) == (429, "quota_exceeded")
    assert AIWorkflowRun.objects.get().outcome == "refused"


@pytest.mark.parametrize("vary", [{"per": "everybody"}, {"period": "year"}, {"requests": -1}, {"tier": "gold"},
                                  {"provider": "default"},
                                  {"course": "x", "profile": "y"}, {"money": "much"}])  # fmt: skip
def test_a_limit_that_makes_no_sense_is_reported(settings, vary):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 1, **vary}]
    assert any("AI_EXTENSIONS_LIMITS" in problem.msg for problem in run_checks())
