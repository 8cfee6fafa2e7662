"""What the plugin adds to ``django.setup()``: seconds, megabytes, and whether LiteLLM stays out."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

RUNS = 7
MAX_SECONDS = 0.4
MAX_MEGABYTES = 25.0

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


def main() -> None:
    pairs = [(_start(without=False), _start(without=True)) for _ in range(RUNS)]
    seconds = statistics.median(ours[0] - base[0] for ours, base in pairs)
    megabytes = statistics.median(ours[1] - base[1] for ours, base in pairs)
    base_seconds = statistics.median(base[0] for _, base in pairs)
    for name, value, limit, unit in (
        ("django.setup() with the plugin adds", seconds, MAX_SECONDS, "s"),
        ("django.setup() with the plugin adds", megabytes, MAX_MEGABYTES, "MB"),
    ):
        verdict = "ok" if value <= limit else "MISSED"
        print(f"{name:<58} {value:8.2f} {unit} to {base_seconds:.2f} s   (at most {limit}: {verdict})")
    print(f"{'LiteLLM is imported by it':<58} {any(ours[2] for ours, _ in pairs)}")


if __name__ == "__main__":
    main()
