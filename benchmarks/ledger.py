"""What the ledger and every kind of limit add to a run."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from typing import Any
from unittest import mock
from urllib.parse import urlencode

from benchmarks.measure import fake_provider, median_ratio, report, wall
from benchmarks.site import test_site

SLOT, COURSE = "unit-summary", "course-v1:OpenedX+AIX+demo"
CONTEXT = urlencode({"context": json.dumps({"courseId": COURSE, "uiSlotSelectorId": SLOT})})
PATCH = {"processor_config": {"OpenEdXProcessor": {"function": "no_context"}, "LLMProcessor": {"stream": False}}}
PLENTY = {"requests": 10**9, "tokens": 10**12, "money": 10**9}
EVERY_LIMIT = [
    {"per": per, "period": period, **PLENTY}
    for per, period in itertools.product(
        ("site", "provider", "course", "profile", "person"), ("minute", "hour", "day", "month")
    )
]
SETTLE = 0.05  # seconds for the threads of the last measurement to end
MOST_QUERIES = 3
# Seconds: quicker than any model across a network. What is added to one that answers at once is shown beside it.
PROVIDER_WAIT = 0.05


def main() -> None:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    with fake_provider() as at_once, fake_provider("--wait", str(PROVIDER_WAIT)) as quick, test_site():
        _run(at_once, quick)


def _run(at_once: str, quick: str) -> None:
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, override_settings
    from django.urls import reverse

    from openedx_ai_extensions.ledger import run as account
    from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
    from openedx_ai_extensions.runtime import runner

    class Free(account.Run):
        """A run that nobody writes down."""

        def reserve(self, reservation: account.Reservation) -> None:
            pass

        def end(self, outcome: str, **_why: str) -> None:
            pass

    client = Client()
    client.force_login(get_user_model().objects.create_user("learner"))
    prices = {"INPUT": 1, "OUTPUT": 1}

    def providers(url: str) -> dict[str, Any]:
        return {"default": {"MODEL": "openai/fake", "API_KEY": "k", "API_BASE": url, "PRICES": prices}}

    with override_settings(AI_EXTENSIONS=providers(at_once), AI_EXTENSIONS_LIMITS=EVERY_LIMIT):
        profile = AIWorkflowProfile.objects.create(
            slug="summary", base_filepath="base/summary.json5", content_patch=json.dumps(PATCH)
        )
        AIWorkflowScope.objects.create(profile=profile, course_id=COURSE, ui_slot_selector_id=SLOT)
        path = f"{reverse('openedx_ai_extensions:api:v1:aiext_workflows')}?{CONTEXT}"
        body = json.dumps({"action": "run", "user_input": "Why?"})

        def post() -> None:
            response = client.post(path, body, content_type="application/json")
            if response.status_code != 200:
                raise AssertionError(response.content)

        def free() -> None:
            with mock.patch.object(runner, "Run", Free):
                post()

        def settled(call: Callable[[], None]) -> Callable[[], float]:
            def measure() -> float:
                time.sleep(SETTLE)
                return wall(call)()

            return measure

        post(), free()
        queries = []
        for call in (post, free):
            taken = []
            for _time in range(5):  # every few seconds, one look is also at what may have changed elsewhere
                with CaptureQueriesContext(connection) as captured:
                    call()
                taken.append(len(captured))
            queries.append(min(taken))
        added = queries[0] - queries[1]
        verdict = "ok" if added <= MOST_QUERIES else "MISSED"
        name = "Queries of a run with the ledger and every limit, without"
        print(f"{name:<58} {queries[0]} - {queries[1]} = {added}   (at most {MOST_QUERIES}: {verdict})")
        ours, baseline, _ratio = median_ratio(settled(post), settled(free), 101)
        print(f"{'The same in time, with a provider that answers at once':<58} {(ours - baseline) * 1e3:.2f} ms")
        with override_settings(AI_EXTENSIONS=providers(quick)):
            name = "POST workflows/ with the ledger and every limit / without"
            report(name, median_ratio(settled(post), settled(free), 41), 1.15)


if __name__ == "__main__":
    main()
