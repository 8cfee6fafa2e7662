"""Runs in the background of the real demo server, when it is stopped in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest
import requests

from openedx_ai_extensions.demo.server import TASKS_AT_ONCE
from tests.conftest import COURSE_ID, UNIT_ID
from tests.demo.conftest import in_background
from tests.fakes.provider import FakeProvider
from tests.waiting import PATIENCE, eventually

CARDS = json.dumps({"cards": [{"question": "What is split?", "answer": "Water."}]})
FLASHCARDS, QUIZ = "unit-flashcards", "unit-quiz"
OTHERS = (("learner", FLASHCARDS), ("admin", FLASHCARDS), ("author", QUIZ), ("admin", QUIZ))
assert len(OTHERS) == TASKS_AT_ONCE, "their runs occupy all workers"
QUEUED = "Waiting for the AI."


@pytest.fixture(scope="module")
def model():
    """A provider that outlives one test, as the server does."""
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def provider(model):
    model.reset()
    model.reply(CARDS)
    return model


class Server:
    """The demo's server in a process of its own."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(in_background(command), env=environment, stdout=subprocess.PIPE, text=True)
        lines = (re.search(r"http://[\d.]+:\d+", line) for line in self.process.stdout)
        self.url = next(found[0] for found in lines if found)


class Person:
    """A user with a browser, at one of the unit's widgets."""

    def __init__(self, server, name, slot=FLASHCARDS):
        self._url = server.url
        self._place = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": slot}
        self._browser = requests.Session()
        self._browser.get(f"{self._url}/").raise_for_status()
        self._browser.post(f"{self._url}/login/{name}/", headers=self._headers).raise_for_status()

    @property
    def _headers(self):
        return {"X-CSRFToken": self._browser.cookies["csrftoken"]}

    def do(self, action, user_input=None):
        address, context = f"{self._url}/openedx-ai-extensions/v1/workflows/", {"context": json.dumps(self._place)}
        body = {"action": action, "user_input": user_input}
        return self._browser.post(address, params=context, json=body, headers=self._headers, timeout=PATIENCE).json()

    def start(self):
        assert self.do("run_async", {"num_cards": 1, "num_questions": 1})["status"] == "processing"

    def wait_until(self, **wanted):
        """Until the run's state is this; returns it."""
        states = []

        def look():
            states.append(self.do("get_run_status"))
            return wanted.items() <= states[-1].items()

        eventually(look)
        return states[-1]


@pytest.fixture(scope="module")
def servers(tmp_path_factory, model):
    """Start servers on the same data, one after another."""
    entry = {"MODEL": "openai/gpt-fake", "API_KEY": "sk-fake", "API_BASE": model.base_url}
    environment = {
        **os.environ,
        "AI_EXTENSIONS": json.dumps({"default": entry}),
        "AI_EXTENSIONS_DEMO_DIR": str(tmp_path_factory.mktemp("demo")),
        "DJANGO_SETTINGS_MODULE": "openedx_ai_extensions.demo.settings",
    }
    command = [sys.executable, "-u", "-m", "openedx_ai_extensions.demo", "--port", "9150"]
    started = []

    def running():
        if not started or started[-1].process.poll() is not None:
            started.append(Server(command, environment))
        return started[-1]

    yield running
    for server in started:
        server.process.kill()
        server.process.communicate()


@pytest.fixture
def serve(servers, provider):
    """The server that runs, or the next."""
    for name, slot in (*OTHERS, ("author", FLASHCARDS)):
        Person(servers(), name, slot).do("clear_session")
    return servers


def test_a_run_that_the_server_did_not_survive_says_so(serve, provider):
    provider.hang(300)
    server = serve()
    learner = Person(server, "learner")
    learner.start()
    learner.wait_until(progress=0.3)
    server.process.send_signal(signal.SIGINT)
    server.process.wait(timeout=PATIENCE)  # it does not wait for the model
    provider.hang(0)
    learner = Person(serve(), "learner")
    learner.wait_until(status="failed")
    assert learner.do("get_current_session_response")["cards"] is None
    learner.start()
    assert learner.wait_until(status="completed")["response"][0]["answer"] == "Water."


def test_a_run_that_waited_when_the_server_was_killed_is_done_by_the_next(serve, provider):
    provider.hang(300)
    server = serve()
    for name, slot in OTHERS:
        other = Person(server, name, slot)
        other.start()
        eventually(lambda other=other: other.do("get_run_status")["message"] != QUEUED)
    author = Person(server, "author")
    author.start()
    assert author.do("get_run_status")["message"] == QUEUED
    server.process.kill()
    server.process.wait()
    provider.hang(0)
    author = Person(serve(), "author")
    assert author.wait_until(status="completed")["response"][0]["answer"] == "Water."
    for name, slot in OTHERS:
        Person(serve(), name, slot).wait_until(status="failed")
    assert Person(serve(), "learner").do("get_current_session_response")["cards"] is None
