"""What the plugin adds to ``django.setup()``, and what the first answer of a preloaded web worker costs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import fake_provider
from benchmarks.rest import CONTEXT, COURSE, NO_CONTENT, SLOT
from benchmarks.site import test_site

RUNS = 7
MAX_SECONDS = 0.4
MAX_MEGABYTES = 25.0
WORKERS = 5
MAX_FIRST_SECONDS = 0.15  # of the first answer, more than the second
MAX_WORKER_MEGABYTES = 60.0  # of each further worker, proportional set size

SCRIPT = """
import json, resource, sys, time
start = time.perf_counter()
import django
from django.conf import settings
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
if {without}:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if not app.startswith("openedx_ai_extensions")]
django.setup()
print(json.dumps([
    time.perf_counter() - start,
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "litellm" in sys.modules,
]))
"""


def _start(*, without: bool) -> tuple[float, float, bool]:
    command = [sys.executable, "-c", SCRIPT.format(without=without)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, megabytes, litellm = json.loads(output.splitlines()[-1])
    return seconds, megabytes, litellm


def _workers(count: int) -> tuple[float, float, float]:
    """Seconds of the first and the second answer of a forked worker (medians), and the memory of all in MB."""
    command = [sys.executable, "-m", "benchmarks.startup", str(count)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    first, second, megabytes = json.loads(output.splitlines()[-1])
    return first, second, megabytes


def serve(count: int) -> None:
    """Fork this many workers as a web server does; each answers twice. Print the figures of ``_workers``."""
    with fake_provider() as url, test_site():
        from django.conf import settings
        from django.contrib.auth import get_user_model
        from django.db import connections
        from django.test import Client
        from django.urls import reverse

        from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
        from openedx_ai_extensions.processors.llm.provider import preload

        settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/fake", "API_KEY": "k", "API_BASE": url}}
        profile = AIWorkflowProfile.objects.create(
            slug="summary", base_filepath="base/summary.json5", content_patch=json.dumps(NO_CONTENT)
        )
        AIWorkflowScope.objects.create(profile=profile, course_id=COURSE, ui_slot_selector_id=SLOT)
        client = Client()
        client.force_login(get_user_model().objects.create_user("learner"))
        path = f"{reverse('openedx_ai_extensions:api:v1:aiext_workflows')}?{CONTEXT}"
        preload.load_before_fork()
        connections.close_all()
        (from_workers, to_parent), (from_parent, to_workers) = os.pipe(), os.pipe()
        for _ in range(count):
            if os.fork():
                continue
            seconds = []
            for _request in range(2):
                start = time.perf_counter()
                response = client.post(path, '{"action": "run"}', content_type="application/json")
                seconds.append(time.perf_counter() - start)
                assert response.status_code == 200, response.content
            os.write(to_parent, f"{json.dumps([os.getpid(), *seconds])}\n".encode())
            os.read(from_parent, 1)
            os._exit(0)
        with os.fdopen(from_workers) as reports:
            answers = [json.loads(reports.readline()) for _ in range(count)]
        megabytes = sum(_megabytes(pid) for pid in (os.getpid(), *(pid for pid, *_ in answers)))
        os.write(to_workers, b"." * count)
        firsts, seconds = (statistics.median(answer[place] for answer in answers) for place in (1, 2))
        print(json.dumps([firsts, seconds, megabytes]))


def _megabytes(pid: int) -> float:
    """The proportional set size: memory that processes share counts in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _line(name: str, value: float, limit: float, unit: str, other: str) -> None:
    verdict = "ok" if value <= limit else "MISSED"
    print(f"{name:<58} {value:8.2f} {unit} to {other}   (at most {limit}: {verdict})")


def main() -> None:
    pairs = [(_start(without=False), _start(without=True)) for _ in range(RUNS)]
    seconds = statistics.median(ours[0] - base[0] for ours, base in pairs)
    megabytes = statistics.median(ours[1] - base[1] for ours, base in pairs)
    base_seconds = f"{statistics.median(base[0] for _, base in pairs):.2f} s"
    _line("django.setup() with the plugin adds", seconds, MAX_SECONDS, "s", base_seconds)
    _line("django.setup() with the plugin adds", megabytes, MAX_MEGABYTES, "MB", base_seconds)
    print(f"{'LiteLLM is imported by it':<58} {any(ours[2] for ours, _ in pairs)}")
    first, second, one = _workers(1)
    _line("First answer of a preloaded worker adds", first - second, MAX_FIRST_SECONDS, "s", f"{second * 1000:.0f} ms")
    added = (_workers(WORKERS)[2] - one) / (WORKERS - 1)
    _line("Memory that a further preloaded worker adds", added, MAX_WORKER_MEGABYTES, "MB", f"{one:.0f} MB")


if __name__ == "__main__":
    serve(int(sys.argv[1])) if len(sys.argv) > 1 else main()
