"""Many learners watch an answer arrive, on one process of the streaming service; a WSGI process beside it stays free.

``python -m benchmarks.streams --streams 500`` (``TEST_DATABASE=mariadb`` for MariaDB). Not part of ``make bench``: it
takes a minute, and all of the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.site import test_site

SLOT, COURSE = "unit-summary", "course-v1:OpenedX+AIX+demo"
UNIT = "block-v1:OpenedX+AIX+demo+type@vertical+block@unit_sunlight"
CONTEXT = urlencode({"context": json.dumps({"courseId": COURSE, "locationId": UNIT, "uiSlotSelectorId": SLOT})})
CSRF = "c" * 32
HOST = "127.0.0.1"
WSGI_PORT, ASGI_PORT = 18_101, 18_102


@dataclass
class Seen:
    """What the clients saw."""

    first: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    longest_gap: list[float] = field(default_factory=list)
    failed: list[bytes] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--tokens", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=15.0, help="that an answer takes")
    parser.add_argument("--arrive", type=float, default=10.0, help="seconds over which the learners come")
    parser.add_argument("--workflow", choices=("summary", "chat"), default="chat")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _run(options, Path(folder))


def _run(options: argparse.Namespace, folder: Path) -> None:
    is_mariadb = os.environ.get("TEST_DATABASE") == "mariadb"
    os.environ["BENCHMARK_DATABASE"] = "benchmark_streams" if is_mariadb else str(folder / "streams.sqlite3")
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.streams_settings"
    python = (sys.executable, "-m")
    pace = ("--tokens", str(options.tokens), "--seconds", str(options.seconds))
    wsgi = ("gunicorn", "-w", "1", "-b", f"{HOST}:{WSGI_PORT}", "--log-level", "error")
    asgi = ("uvicorn", "--host", HOST, "--port", str(ASGI_PORT), "--log-level", "error", "--no-access-log")
    with _process(*python, "benchmarks.paced_provider", *pace, stdout=subprocess.PIPE) as provider:
        os.environ["BENCHMARK_PROVIDER"] = provider.stdout.readline().decode().strip()
        with test_site():
            from openedx_ai_extensions.models import AIWorkflowRun

            cookies = _learners(options)
            with (
                _process(*python, *wsgi, "django.core.wsgi:get_wsgi_application()"),
                _process(*python, *asgi, "openedx_ai_extensions.streaming_service:application") as service,
            ):
                asyncio.run(_load(options, cookies, Seen(), service.pid))
            outcomes = list(AIWorkflowRun.objects.values_list("outcome", flat=True))
            print(f"  ledger: { ({name: outcomes.count(name) for name in set(outcomes)}) }")


def _learners(options: argparse.Namespace) -> list[str]:
    """Cookies of as many people as there are streams."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.db import SessionStore

    from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope

    profile = AIWorkflowProfile.objects.create(slug="load", base_filepath=f"base/{options.workflow}.json5")
    AIWorkflowScope.objects.create(profile=profile, course_id=COURSE, ui_slot_selector_id=SLOT)
    cookies = []
    for number in range(options.streams + 1):
        user = get_user_model().objects.create(username=f"learner{number}")
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        cookies.append(f"sessionid={session.session_key}; csrftoken={CSRF}")
    return cookies


@contextlib.contextmanager
def _process(*command: str, **options: int) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


async def _load(options: argparse.Namespace, cookies: list[str], seen: Seen, pid: int) -> None:
    await asyncio.gather(_until_up(WSGI_PORT), _until_up(ASGI_PORT))
    await _stream(cookies[0], Seen())  # what is loaded with the first request
    await _probe(cookies[0], Seen())
    before = _memory(pid)
    quiet = Seen()
    for _number in range(20):
        await _probe(cookies[0], quiet)
    peak, connections = [0], [0]
    cpu, started = _cpu(pid), time.perf_counter()
    watchers = [
        asyncio.create_task(_every(0.25, lambda: _probe(cookies[0], seen))),
        asyncio.create_task(_every(0.5, lambda: _watch(pid, peak, connections))),
    ]

    async def come(number: int) -> None:
        await asyncio.sleep(options.arrive * number / options.streams)
        await _stream(cookies[number + 1], seen)

    await asyncio.gather(*(come(number) for number in range(options.streams)))
    took = time.perf_counter() - started
    for watcher in watchers:
        watcher.cancel()
    await asyncio.sleep(2)
    print(
        f"{options.streams} streams of {options.tokens} pieces in {options.seconds} s, arriving over {options.arrive} s"
    )
    print(f"  complete: {len(seen.total)}; failed: {len(seen.failed)} {seen.failed[:1]}")
    print(f"  all over after {took:.1f} s; CPU of the service {_cpu(pid) - cpu:.1f} s")
    for name, values in {
        "first text": seen.first,
        "whole answer": seen.total,
        "longest pause": seen.longest_gap,
    }.items():
        print(f"  {name}: {_spread(values)}")
    print(f"  memory: {before} MB before, {peak[0]} MB at most, {_memory(pid)} MB after")
    print(f"  connections to the database: {connections[0] or 'not counted'} at most")
    print(
        f"  GET profile/ on the WSGI process: {_spread(seen.probes)}; with nothing else to do {_spread(quiet.probes)}"
    )


def _spread(values: list[float]) -> str:
    if len(values) < 2:
        return "-"
    ordered = sorted(values)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"median {statistics.median(ordered):.3f} s, p95 {p95:.3f} s, most {ordered[-1]:.3f} s"


async def _until_up(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            _reader, writer = await asyncio.open_connection(HOST, port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(port)


async def _stream(cookie: str, seen: Seen) -> None:
    body = json.dumps({"action": "run", "user_input": "Why?"}).encode()
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection(HOST, ASGI_PORT)
    writer.write(_head("POST", "workflows/", cookie, ASGI_PORT, len(body)) + body)
    received, last, gap = b"", None, 0.0
    while piece := await reader.read(65_536):
        now = time.perf_counter()
        received += piece
        if last is None:
            if b"word0" not in received:
                continue
            seen.first.append(now - started)
        else:
            gap = max(gap, now - last)
        last = now
    writer.close()
    if received.endswith(b"\r\n0\r\n\r\n") and b"error_in_stream" not in received and last is not None:
        seen.total.append(time.perf_counter() - started)
        seen.longest_gap.append(gap)
    else:
        seen.failed.append(received[:300])


async def _probe(cookie: str, seen: Seen) -> None:
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection(HOST, WSGI_PORT)
    writer.write(_head("GET", "profile/", cookie, WSGI_PORT, 0))
    if b" 200 OK" not in (await reader.read()).split(b"\r\n")[0]:
        raise AssertionError
    writer.close()
    seen.probes.append(time.perf_counter() - started)


def _head(method: str, name: str, cookie: str, port: int, length: int) -> bytes:
    lines = [
        f"{method} /openedx-ai-extensions/v1/{name}?{CONTEXT} HTTP/1.1",
        f"Host: {HOST}:{port}",
        f"Cookie: {cookie}",
        f"X-CSRFToken: {CSRF}",
        "Accept: */*",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def _every(seconds: float, call) -> None:
    while True:
        await call()
        await asyncio.sleep(seconds)


async def _watch(pid: int, peak: list[int], connections: list[int]) -> None:
    peak[0] = max(peak[0], _memory(pid))
    if os.environ.get("TEST_DATABASE") == "mariadb":
        connections[0] = max(connections[0], await asyncio.to_thread(_connections))


def _connections() -> int:
    """Of everybody to MariaDB, this benchmark's own two apart."""
    import pymysql

    with pymysql.connect(host=HOST, user="root") as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE db = %s", (os.environ["BENCHMARK_DATABASE"],)
        )
        return cursor.fetchone()[0] - 1


def _memory(pid: int) -> int:
    """Resident, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
