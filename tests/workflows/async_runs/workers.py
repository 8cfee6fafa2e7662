"""A real Celery worker in processes of its own, on the test's database."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from celery import Celery
from django.db import connection

from tests.waiting import PATIENCE, eventually

REPO = Path(__file__).resolve().parents[3]


class Worker:
    """One worker with one child that does the work.

    Args:
        settings: Django settings to lay over the tests' own.
        broker: nobody else waits there for tasks.
        queue: where it takes tasks from.
        log: a file for what it says.
    """

    def __init__(self, settings: dict[str, Any], broker: Broker, queue: str, log: Path) -> None:
        names = ("ENGINE", "NAME", "USER", "HOST", "OPTIONS")
        database = {name: connection.settings_dict[name] for name in names}
        overrides = {"DATABASES": {"default": {**database, "NAME": str(database["NAME"])}}, **settings}
        self.log = log
        self.broker = broker
        self._queue, self._name = queue, f"{queue}@tests"
        self._is_paused = False
        command = [sys.executable, "-m", "celery", "-A", "tests.workflows.async_runs.worker_app:APP",
                   "-b", broker.url, "worker", "-Q", queue, "-c", "1", "-P", "prefork", "-l", "INFO",
                   "-n", self._name, "--without-gossip", "--without-mingle"]  # fmt: skip
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.workflows.async_runs.worker_settings",
            "WORKER_SETTINGS": json.dumps(overrides),
        }
        with log.open("a") as output:
            self._process = subprocess.Popen(
                command, cwd=REPO, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def wait_until_ready(self) -> Worker:
        eventually(lambda: " ready." in self.log.read_text())
        return self

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """As the out-of-memory killer does, children and all."""
        with contextlib.suppress(ProcessLookupError):  # nothing is left of it
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)
        self._wait_until_gone()

    def _wait_until_gone(self) -> None:
        # A child that took another's place has its parent's connections. While it is still dying, the broker hands it
        # the next task, which is lost.
        eventually(self.broker.is_alone)

    def kill_child(self) -> None:
        """Kill only the process that does the work."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)

    def pause(self) -> None:
        """Take no more tasks."""
        self._tell("cancel_consumer")
        self._wait_until_gone()
        self._is_paused = True

    def go_on(self) -> None:
        if self._is_paused:
            self._tell("add_consumer")
            self._is_paused = False

    def _tell(self, what: str) -> None:
        with Celery(broker=self.broker.url) as app:
            (answer,) = getattr(app.control, what)(self._queue, destination=[self._name], reply=True, timeout=PATIENCE)
            assert "ok" in answer[self._name], answer

    def stop(self) -> None:
        if self.is_alive:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(10)
                self._wait_until_gone()
            except subprocess.TimeoutExpired:
                self.kill()


class Broker:
    """A Redis server of the test's own, that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{port}/0"
        self._command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder),
                         "--dbfilename", "dump.rdb", "--save", "", "--loglevel", "warning"]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: self._say("ping") == b"PONG\n")

    def stop(self, *, keeps: bool = True) -> None:
        """Stop it; it remembers what it holds, or forgets."""
        if self._process is not None:
            self._say("shutdown", "save" if keeps else "nosave")
            self._process.wait(PATIENCE)
            self._process = None

    def is_alone(self) -> bool:
        """Does nobody wait for a task?"""
        return b" flags=b " not in self._say("client", "list")

    def _say(self, *words: str) -> bytes:
        return subprocess.run(["redis-cli", "-u", self.url, *words], capture_output=True, check=False).stdout
