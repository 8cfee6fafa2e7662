"""Numbers from outside are never trusted: what is absurd is not reported, and spoils nobody else's run."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from openedx_ai_extensions.core.conf import SETTINGS
from openedx_ai_extensions.core.provider_entries import entries_problem
from openedx_ai_extensions.core.setting_problems import limits
from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.ledger.audit import audit
from openedx_ai_extensions.ledger.prices import MAX_TOKENS
from openedx_ai_extensions.models import AIUsageTotal, AIWorkflowRun
from tests.accounting.ledger import a_run
from tests.api.conftest import Api, text_of

pytestmark = pytest.mark.django_db

INT64 = 2**63 - 1
TOLD = {"prompt_tokens": 11, "completion_tokens": 11, "total_tokens": 22}
ABSURD = [2**64 - 1, INT64, INT64 + 1, 10**20, 1e20, 1e308, float("inf"), float("nan"), -1, -(2**63), 0.5, "",
          [], {}, MAX_TOKENS + 1]  # fmt: skip
WHOLE = {"processor_config": {"LLMProcessor": {"stream": False}}}
LIMITS = [
    {"per": "person", "period": "day", "tokens": 10_000_000, "money": 1000},
    {"per": "site", "period": "month", "tokens": 10_000_000_000},
]


@pytest.fixture
def api(learner, provider, settings):
    settings.AI_EXTENSIONS["default"]["PRICES"] = {"INPUT": 2, "OUTPUT": 8}
    settings.AI_EXTENSIONS_LIMITS = LIMITS
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    return Api(learner)


def runs() -> list[AIWorkflowRun]:
    return list(AIWorkflowRun.objects.order_by("pk"))


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_a_provider_that_reports_nonsense_is_not_believed(api, make_scope, provider, streams):
    make_scope(patch=None if streams else WHOLE)
    for number in ABSURD:
        for usage in (
            {"prompt_tokens": number, "completion_tokens": 11, "total_tokens": number},
            {"prompt_tokens": 11, "completion_tokens": number, "total_tokens": number},
            {**TOLD, "prompt_tokens_details": {"cached_tokens": number, "cache_creation_tokens": number}},
        ):
            provider.reply("Green.", usage=usage)
            response = api.run("Why green?")
            assert response.status_code == 200, (number, response.content)
            assert "Green." in (text_of(response) if streams else response.json()["response"])
            run = AIWorkflowRun.objects.latest("pk")
            assert (run.outcome, run.is_estimated) == ("completed", not TOLD.items() <= usage.items()), number
            assert 0 < run.prompt_tokens + run.completion_tokens < 10_000, number
            assert 0 <= run.cached_tokens <= MAX_TOKENS, number
            assert 0 <= run.cost_micros < 100_000, number
    counters.count()
    assert counters.count() == 0


@pytest.mark.parametrize("template", ["base/summary.json5", "base/chat.json5"])
@pytest.mark.parametrize("model", ["openai/gpt-4o-mini", "anthropic/claude-3-5-haiku-latest"])
def test_nor_is_it_in_another_form(api, make_scope, provider, settings, model, template):
    settings.AI_EXTENSIONS["default"] |= {"MODEL": model}
    if model.startswith("anthropic"):
        settings.AI_EXTENSIONS["default"]["API_BASE"] = provider.anthropic_url
    make_scope(base_filepath=template, patch=WHOLE)
    # JSON knows neither infinity nor "not a number": LiteLLM takes an answer with these for none.
    for number in [number for number in ABSURD if not (isinstance(number, float) and not math.isfinite(number))]:
        provider.reply("Green.", usage={"prompt_tokens": number, "completion_tokens": number, "total_tokens": number})
        response = api.run("Why green?")
        assert (response.status_code, response.json().get("response")) == (200, "Green."), number
        run = AIWorkflowRun.objects.latest("pk")
        assert (run.outcome, run.is_estimated) == ("completed", True), number
        assert 0 < run.tokens < 10_000


def test_nobody_waits_for_as_long_as_a_header_says(api, make_scope, provider, settings):
    settings.AI_EXTENSIONS["second"] = {**settings.AI_EXTENSIONS["default"]}
    settings.AI_EXTENSIONS["default"]["FALLBACKS"] = ["second"]
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 0
    make_scope(patch=WHOLE)
    provider.reply("Green.")
    for seconds in ("inf", "-inf", "nan", "1e308", "-1", "9" * 400, "", "soon", "0x10"):
        provider.fail(429, headers={"Retry-After": seconds}, times=1)
        response = api.run("Why green?")
        assert (response.status_code, response.json().get("response")) == (200, "Green."), seconds
    assert {run.outcome for run in runs()} == {"completed"}


ABSURD_PRICES = [float("inf"), float("-inf"), float("nan"), Decimal("Infinity"), Decimal("NaN"), Decimal("sNaN"), 1e308,
                 10**18, -1, True]  # fmt: skip


def test_an_absurd_price_is_a_problem_of_check_and_no_price(api, make_scope, provider, settings):
    settings.AI_EXTENSIONS_LIMITS = []
    make_scope(patch=WHOLE)
    provider.reply("Green.")
    for price in ABSURD_PRICES:
        for name in ("INPUT", "CACHED_INPUT"):
            entry = {**settings.AI_EXTENSIONS["default"], "PRICES": {"INPUT": 2, "OUTPUT": 8, name: price}}
            settings.AI_EXTENSIONS = {"default": entry}
            assert entries_problem(settings.AI_EXTENSIONS), (name, price)
        assert api.run("Why green?").status_code == 200, price


@pytest.mark.parametrize("number", [10**18, INT64, -5], ids=repr)
def test_what_is_reserved_is_bounded(api, make_scope, provider, settings, number):
    settings.AI_EXTENSIONS_LIMITS = []
    make_scope(patch={"processor_config": {"LLMProcessor": {"stream": False, "options": {"max_tokens": number}}}})
    provider.reply("Green.")
    for _time in range(3):
        assert api.run("Why green?").status_code == 200


@pytest.mark.parametrize("amount", [INT64, INT64 // 2], ids=["the largest", "half of it"])
def test_one_row_never_poisons_a_batch(api, make_scope, provider, settings, amount):
    for _number in range(3):
        a_run(prompt_tokens=amount, completion_tokens=0, cached_tokens=amount, cost_micros=amount, days_ago=0)
    settings.AI_EXTENSIONS_LIMITS = [{"per": "site", "period": "day", "requests": 10}]
    make_scope(patch=WHOLE)
    assert api.run("Why green?").status_code == 200
    assert counters.count() == 4
    assert not AIWorkflowRun.objects.filter(is_counted=False).exists()
    assert AIUsageTotal.objects.filter(tokens__gt=MAX_TOKENS, tokens__lt=10 * MAX_TOKENS).exists()
    assert {audited.differences for audited in audit(repair=False)} == {0}
    AIWorkflowRun.objects.update(created_at=timezone.now() - timedelta(days=1000))
    call_command("ai_purge_ledger", days=400)
    assert not runs()


NO_NUMBERS = [float("nan"), Decimal("NaN"), Decimal("sNaN"), float("inf"), 10**30, -(10**30), "9" * 30]


@pytest.mark.parametrize("name", ["requests", "tokens", "money"])
def test_an_absurd_limit_is_a_problem_of_check(name):
    for amount in [*NO_NUMBERS, -1, True]:
        assert limits([{"per": "site", "period": "day", name: amount}]), amount


def test_an_absurd_number_of_a_setting_is_a_problem_of_check():
    names = [name for name, setting in SETTINGS.items() if isinstance(setting.default, int)]
    assert len(names) > 10
    for name in names:
        for value in NO_NUMBERS:
            assert SETTINGS[name].problem(value), (name, value)
