"""Timing two things fairly, and saying what came out."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator


def median_ratio(ours: Callable[[], float], baseline: Callable[[], float], rounds: int) -> tuple[float, float, float]:
    """Run both in turn, each returns seconds; the medians of ours, of the baseline and of the paired ratios."""
    pairs = [(ours(), baseline()) for _ in range(rounds)]
    return (
        statistics.median(first for first, _ in pairs),
        statistics.median(second for _, second in pairs),
        statistics.median(first / second for first, second in pairs),
    )


def wall(call: Callable[[], object], times: int = 1) -> Callable[[], float]:
    """A function that measures the seconds of one call, averaged over ``times`` calls."""

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(times):
            call()
        return (time.perf_counter() - start) / times

    return measure


def report(name: str, figures: tuple[float, float, float], target: float) -> None:
    """Print one line: ours, the baseline, their ratio and the target."""
    ours, baseline, ratio = figures
    verdict = "ok" if ratio <= target else "MISSED"
    print(f"{name:<58} {_time(ours):>10} / {_time(baseline):>10} = {ratio:6.2f}   (at most {target:.2f}: {verdict})")


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def answers(port: int) -> bool:
    """Does something listen on this loopback port?"""
    with contextlib.closing(socket.socket()) as client:
        client.settimeout(0.5)
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def fake_provider(*arguments: str) -> Iterator[str]:
    """The suite's fake LLM provider, in a process of its own; yields its base URL."""
    command = [sys.executable, "-m", "tests.fakes.provider", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        yield process.stdout.readline().strip() if process.stdout else ""
    finally:
        process.terminate()
        process.wait()
