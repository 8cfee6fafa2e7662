"""Many at once against one budget: never over it, nothing lost, nobody stuck."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.models import AIUsageTotal, AIWorkflowRun
from tests.accounting.conftest import THREADS
from tests.api.conftest import Api, text_of
from tests.conftest import COURSE_ID
from tests.fakes.provider import Break, Fail, Say
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

USAGE = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}
NOT_STREAMED = {"processor_config": {"LLMProcessor": {"stream": False}}}


def ask_all(clients: list[Api], times: int) -> list[int]:
    """The status of each request of all clients, all at once."""
    gate = threading.Barrier(len(clients))

    def ask(api: Api) -> list[int]:
        try:
            gate.wait(PATIENCE)
            statuses = []
            for _number in range(times):
                response = api.run("Why green?")
                statuses.append(response.status_code)
                if response.streaming:
                    text_of(response)
            return statuses
        finally:
            connection.close()

    with ThreadPoolExecutor(len(clients)) as pool:
        return [status for statuses in pool.map(ask, clients) for status in statuses]


def held() -> int:
    return AIWorkflowRun.objects.exclude(held_tokens=0, held_until=None).count()


def test_a_budget_of_requests(clients, make_scope, provider, settings):
    make_scope(patch=NOT_STREAMED)
    budget = THREADS + THREADS // 2
    settings.AI_EXTENSIONS_LIMITS = [{"per": "course", "period": "month", "requests": budget}]
    provider.reply("Green.", usage=USAGE)
    statuses = ask_all(clients, 2)
    assert set(statuses) <= {200, 429}
    assert len(provider.requests) == statuses.count(200) <= budget
    # Who came first gets what is left: nearly all of it was used, and the rest is there for the next.
    assert statuses.count(200) >= budget - 2
    left = budget - statuses.count(200)
    assert [clients[0].run("Why?").status_code for _ in range(left + 1)] == [200] * left + [429]
    assert held() == 0


def test_a_budget_of_tokens_with_streams_failures_and_deaths(clients, make_scope, provider, settings):
    make_scope()
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 0
    budget = THREADS * 1500
    settings.AI_EXTENSIONS_LIMITS = [
        {"per": "course", "period": "month", "tokens": budget},
        {"per": "person", "period": "day", "requests": 100, "tokens": budget},
        {"per": "site", "period": "hour", "requests": 10_000, "money": 10_000},
    ]
    settings.AI_EXTENSIONS["default"]["PRICES"] = {"INPUT": 1, "OUTPUT": 1}
    provider.reply(["Gr", "een."], usage=USAGE)
    chance = random.Random(7)  # a test that repeats
    provider.then(*chance.choices([Fail(500), Break(after_chunks=1), Say("Green.")], weights=[1, 1, 4], k=THREADS))
    now = timezone.now()
    dead = [
        AIWorkflowRun(run_id="dead", outcome="running", calls=1, course_id=COURSE_ID, held_tokens=1000,
                      held_until=now + timedelta(seconds=2), created_at=now)
        for _ in range(3)
    ]  # fmt: skip
    AIWorkflowRun.objects.bulk_create(dead)
    statuses = ask_all(clients, 3)
    assert set(statuses) <= {200, 429, 503}
    runs = AIWorkflowRun.objects.filter(calls__gt=0).exclude(run_id="dead")
    spent = runs.aggregate(all=Sum(F("prompt_tokens") + F("completion_tokens")))["all"]
    # How much fits beside what others hold depends on the order of the threads.
    assert budget * 0.25 < spent <= budget
    assert AIWorkflowRun.objects.filter(outcome="running").exclude(run_id="dead").count() == 0
    time.sleep(max(2 - (timezone.now() - now).total_seconds(), 0))
    while counters.count(timezone.now() + counters.LAPSED_GRACE):
        pass
    assert held() == 0
    assert AIUsageTotal.objects.get(key__startswith="course:", key__endswith="|month").tokens == spent + 3000
    assert AIWorkflowRun.objects.filter(run_id="dead", outcome="lost").count() == 3
