"""One budget for two server processes, one of which is killed at work."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.demo.server import HOST
from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.models import AIUsageTotal, AIWorkflowRun
from tests.accounting.conftest import THREADS
from tests.api.conftest import Api
from tests.waiting import PATIENCE

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.mariadb,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite serves one process at a time; MariaDB serves two"),
]

REPO = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("server_process.py")
CSRF_TOKEN = "c" * 32
USAGE = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}
BUDGET = THREADS * 1500  # tokens


@pytest.fixture
def servers(settings, clients, provider):
    """Two, on this test's database."""
    names = ("ENGINE", "NAME", "USER", "HOST", "OPTIONS")
    database = {name: connection.settings_dict[name] for name in names}
    changed = {
        "DATABASES": {"default": {**database, "NAME": str(database["NAME"])}},
        "AI_EXTENSIONS": settings.AI_EXTENSIONS,
        "AI_EXTENSIONS_LIMITS": settings.AI_EXTENSIONS_LIMITS,
        "AI_EXTENSIONS_STANDALONE": {
            "COURSES": [
                {**course, "path": str(course["path"])} for course in settings.AI_EXTENSIONS_STANDALONE["COURSES"]
            ]
        },
    }
    children = [
        subprocess.Popen(
            [sys.executable, SCRIPT, json.dumps(changed)],
            cwd=REPO,
            env={**os.environ, "PYTHONPATH": str(REPO)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _number in range(2)
    ]
    yield [(child, int(child.stdout.readline())) for child in children]
    for child in children:
        child.kill()
        child.wait()
        child.stdout.close()


def ask(port: int, api: Api) -> int:
    """The status of a request, read to its end; 0 where the server went away."""
    server = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
    headers = {
        "Cookie": f"sessionid={api.client.cookies['sessionid'].value}; csrftoken={CSRF_TOKEN}",
        "X-CSRFToken": CSRF_TOKEN,
        "Content-Type": "application/json",
    }
    try:
        server.request("POST", Api.url("aiext_workflows"), json.dumps({"action": "run", "user_input": "Why?"}), headers)
        response = server.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        server.close()
    return response.status


@pytest.fixture
def budget(settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "course", "period": "month", "tokens": BUDGET}]


def spent_in(rows) -> int:
    return rows.aggregate(all=Sum(F("prompt_tokens") + F("completion_tokens")))["all"]


def test_a_budget_holds_for_both_and_outlives_one(budget, make_scope, provider, servers, clients):
    make_scope()
    provider.reply(["Gr", "e", "en."], usage=USAGE, delay=0.05)
    (doomed, port), (_child, other_port) = servers
    half_way = threading.Semaphore(0)

    def ask_thrice(number: int) -> list[int]:
        statuses = []
        for turn in range(3):
            statuses.append(ask((port, other_port)[(number + turn) % 2], clients[number]))
            half_way.release()
        return statuses

    with ThreadPoolExecutor(THREADS) as pool:
        asked = [pool.submit(ask_thrice, number) for number in range(THREADS)]
        for _request in range(THREADS):
            assert half_way.acquire(timeout=PATIENCE)
        doomed.kill()
        statuses = [status for future in asked for status in future.result()]

    assert set(statuses) <= {0, 200, 429}
    assert statuses.count(200) > 0
    rows = AIWorkflowRun.objects
    # Of the server that is still there. A process that is killed between a reservation and the check of the limits
    # leaves a reservation that the check would have refused.
    kept = rows.exclude(outcome__in=["running", "lost"])
    assert spent_in(kept) <= BUDGET
    # Who is left uses up the rest when the reservations of the dead have lapsed; that takes less than ten minutes.
    later = timezone.now() + timedelta(seconds=conf.longest_answer() + 60)
    assert (later - timezone.now()).total_seconds() < 600
    while counters.count(later):
        pass
    assert rows.exclude(held_tokens=0, held_micros=0, held_until=None).count() == 0
    assert rows.filter(outcome="running").count() == 0
    # The runs of the dead count what they had reserved.
    assert spent_in(kept) <= BUDGET
    assert AIUsageTotal.objects.get(key__startswith="course:", key__endswith="|month").tokens == spent_in(rows)
    while ask(other_port, clients[0]) == 200:
        pass
    assert spent_in(kept) <= BUDGET
    assert spent_in(rows) > BUDGET - 3000
