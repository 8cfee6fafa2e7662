"""What our endpoints cost beside the barest view that does the same; on MariaDB if there is one, as on real sites."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from urllib.parse import urlencode

from benchmarks.measure import answers, fake_provider, median_ratio, report, wall
from benchmarks.site import test_site

SLOT, CHAT, COURSE = "unit-summary", "chat", "course-v1:OpenedX+AIX+demo"
CONTEXT = urlencode({"context": json.dumps({"courseId": COURSE, "uiSlotSelectorId": SLOT})})
CHAT_CONTEXT = urlencode({"context": json.dumps({"courseId": COURSE, "uiSlotSelectorId": CHAT})})
NO_CONTENT = {"processor_config": {"OpenEdXProcessor": {"function": "no_context"}, "LLMProcessor": {"stream": False}}}
STREAM = {"processor_config": {"OpenEdXProcessor": {"function": "no_context"}}}
# Seconds for the threads of the last measurement to end: LiteLLM keeps its records in the background.
SETTLE = 0.05
THREADS, REQUESTS = 8, 12  # of a server's process; requests of each thread in a round
MESSAGES = [{"role": "user", "content": "Why?"}]
# Of a late turn, with the tools of base/chat.json5.
HISTORY = [
    {"role": "system", "content": "x" * 1_500},
    *[*MESSAGES, {"role": "assistant", "content": "Because."}] * 5,
    *MESSAGES,
]
TOOLS = ("get_context", "get_location_content", "get_location_link")


def main() -> None:
    # The database is chosen when the settings are imported.
    if "TEST_DATABASE" not in os.environ and answers(3306):
        environment = {**os.environ, "TEST_DATABASE": "mariadb"}
        subprocess.run([sys.executable, "-m", "benchmarks.rest"], check=True, env=environment)
        return
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    with fake_provider() as url, test_site():
        _run(url)


def _baseline_urls(url: str) -> ModuleType:
    """A URLconf with the bare views, beside the test site's own URLs."""
    import litellm
    from django.http import StreamingHttpResponse
    from django.urls import path
    from rest_framework.permissions import IsAuthenticated
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from openedx_ai_extensions.api.v1.requests import AUTHENTICATION
    from openedx_ai_extensions.tools.registry import find_tool
    from tests import urls as site_urls

    call = {"model": "openai/fake", "api_base": url, "api_key": "k", "messages": MESSAGES}

    class Bare(APIView):
        authentication_classes = AUTHENTICATION
        permission_classes = [IsAuthenticated]

    class Empty(Bare):
        def get(self, request):
            return Response({})

    class Whole(Bare):
        def post(self, request):
            request.data  # noqa: B018  # reads the body, as ours does
            litellm.disable_streaming_logging = False
            answer = litellm.completion(**call)
            return Response({"response": answer.choices[0].message.content})

    class Streamed(Bare):
        def post(self, request):
            request.data  # noqa: B018
            litellm.disable_streaming_logging = False
            chunks = litellm.completion(**call, stream=True)
            texts = (chunk.choices[0].delta.content or "" for chunk in chunks)
            return StreamingHttpResponse(texts, content_type="text/plain")

    class Turn(Bare):
        """Sends what a turn of our chat sends: ten earlier messages, and the same tools."""

        def post(self, request):
            request.data  # noqa: B018
            litellm.disable_streaming_logging = False
            tools = [{"type": "function", "function": find_tool(name).definition} for name in TOOLS]
            chunks = litellm.completion(**{**call, "messages": HISTORY}, tools=tools, stream=True)
            texts = (chunk.choices[0].delta.content or "" for chunk in chunks)
            return StreamingHttpResponse(texts, content_type="text/plain")

    module = ModuleType("benchmark_urls")
    module.urlpatterns = [
        *site_urls.urlpatterns,
        path("bare/empty/", Empty.as_view()),
        path("bare/whole/", Whole.as_view()),
        path("bare/stream/", Streamed.as_view()),
        path("bare/turn/", Turn.as_view()),
    ]
    return module


def _run(url: str) -> None:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import connections
    from django.test import Client
    from django.test.utils import override_settings
    from django.urls import reverse

    from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope

    clients = [Client() for _ in range(THREADS)]
    for number, logged_in in enumerate(clients):
        logged_in.force_login(get_user_model().objects.create_user(f"learner{number}"))
    client = clients[0]
    providers = {"default": {"MODEL": "openai/fake", "API_KEY": "k", "API_BASE": url}}
    # Events go to a broker, as in production, rather than being delivered within the request.
    settings.CELERY_APP.conf.update(task_always_eager=False, broker_url="memory://")
    (course,) = settings.AI_EXTENSIONS_STANDALONE["COURSES"]
    with override_settings(
        AI_EXTENSIONS=providers,
        AI_EXTENSIONS_STANDALONE={"COURSES": [{**course, "learners": "*"}]},
        ROOT_URLCONF=_baseline_urls(url),
    ):
        profile = AIWorkflowProfile.objects.create(slug="summary", base_filepath="base/summary.json5")
        AIWorkflowScope.objects.create(profile=profile, course_id=COURSE, ui_slot_selector_id=SLOT)
        ui_config = f"{reverse('openedx_ai_extensions:api:v1:aiext_ui_config')}?{CONTEXT}"
        workflows = f"{reverse('openedx_ai_extensions:api:v1:aiext_workflows')}?{CONTEXT}"
        body = json.dumps({"action": "run", "user_input": "Why?"})

        def patch(value: dict) -> None:
            profile.content_patch = json.dumps(value)
            profile.save()

        def get(path: str) -> Callable[[], None]:
            def call() -> None:
                if client.get(path).status_code != 200:
                    raise AssertionError(path)

            return call

        def post(path: str) -> Callable[[], None]:
            def call() -> None:
                response = client.post(path, body, content_type="application/json")
                if response.status_code != 200:
                    raise AssertionError(response.content)

            return call

        def settled(call: Callable[[], None]) -> Callable[[], float]:
            def measure() -> float:
                time.sleep(SETTLE)
                return wall(call)()

            return measure

        def first_byte(path: str) -> Callable[[], float]:
            def measure() -> float:
                time.sleep(SETTLE)
                start = time.perf_counter()
                response = client.post(path, body, content_type="application/json")
                next(iter(response.streaming_content))
                seconds = time.perf_counter() - start
                for _ in response.streaming_content:
                    pass
                return seconds

            return measure

        def concurrently(path: str) -> Callable[[], float]:
            """Seconds per request of a process with several threads."""

            def one_thread(logged_in: Client) -> None:
                for _ in range(REQUESTS):
                    response = logged_in.post(path, body, content_type="application/json")
                    if response.status_code != 200:
                        raise AssertionError(response.content)

            def measure() -> float:
                time.sleep(SETTLE)
                start = time.perf_counter()
                list(threads.map(one_thread, clients))
                return (time.perf_counter() - start) / (THREADS * REQUESTS)

            return measure

        get(ui_config)(), get("/bare/empty/")()
        report(
            "GET profile/ / empty view", median_ratio(wall(get(ui_config), 20), wall(get("/bare/empty/"), 20), 15), 1.5
        )
        patch({"processor_config": {"LLMProcessor": {"prompt": "x" * 10_240}}})
        get(ui_config)()
        name = "GET profile/ with a 10 KB prompt / empty view"
        report(name, median_ratio(wall(get(ui_config), 20), wall(get("/bare/empty/"), 20), 15), 1.5)
        patch(NO_CONTENT)
        post(workflows)(), post("/bare/whole/")()
        figures = median_ratio(settled(post(workflows)), settled(post("/bare/whole/")), 61)
        report("POST workflows/ / a view that calls litellm.completion", figures, 1.25)
        with ThreadPoolExecutor(THREADS) as threads:
            concurrently(workflows)(), concurrently("/bare/whole/")()
            figures = median_ratio(concurrently(workflows), concurrently("/bare/whole/"), 9)
            # As many requests per second as 0.89 of the view's.
            report(f"the same, {THREADS} threads, per request", figures, 1 / 0.89)
            list(threads.map(lambda _client: connections.close_all(), clients))
        patch(STREAM)
        first_byte(workflows)(), first_byte("/bare/stream/")()
        figures = median_ratio(first_byte(workflows), first_byte("/bare/stream/"), 61)
        report("POST workflows/ to the first byte / the same, streamed", figures, 1.25)
        chat = AIWorkflowProfile.objects.create(
            slug="chat", base_filepath="base/chat.json5", content_patch=json.dumps(STREAM)
        )
        AIWorkflowScope.objects.create(profile=chat, course_id=COURSE, ui_slot_selector_id=CHAT)
        turns = f"{reverse('openedx_ai_extensions:api:v1:aiext_workflows')}?{CHAT_CONTEXT}"
        for _ in range(6):
            first_byte(turns)(), first_byte("/bare/turn/")()
        figures = median_ratio(first_byte(turns), first_byte("/bare/turn/"), 61)
        report("a turn of a chat to the first byte / a view with its request", figures, 1.4)


if __name__ == "__main__":
    main()
