"""Runs in the background of the real demo server, when it is stopped in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import requests

from tests.conftest import COURSE_ID, UNIT_ID
from tests.fakes.provider import FakeProvider

CARDS = json.dumps({"cards": [{"question": "What is split?", "answer": "Water."}]})
PLACE = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": "unit-flashcards"}


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
    """The demo's server in a process of its own, and the learner in a browser there."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        lines = (re.search(r"http://[\d.]+:\d+", line) for line in self.process.stdout)
        self._url = next(found[0] for found in lines if found)
        self._browser = requests.Session()
        self._browser.get(f"{self._url}/").raise_for_status()
        self._browser.post(f"{self._url}/login/learner/", headers=self._headers).raise_for_status()

    @property
    def _headers(self):
        return {"X-CSRFToken": self._browser.cookies["csrftoken"]}

    def do(self, action, user_input=None):
        address, context = f"{self._url}/openedx-ai-extensions/v1/workflows/", {"context": json.dumps(PLACE)}
        body = {"action": action, "user_input": user_input}
        return self._browser.post(address, params=context, json=body, headers=self._headers, timeout=120).json()


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
    command = [sys.executable, "-u", "-m", "openedx_ai_extensions.demo", "--no-model", "--port", "9150"]
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
    """The server that runs, or the next; the learner begins anew."""
    servers().do("clear_session")
    return servers


def wait_until(do, is_reached, seconds=180):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = do("get_run_status")
        if is_reached(state):
            return state
        time.sleep(0.2)
    raise AssertionError(state)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_the_server_did_not_survive_says_so(serve, provider, how):
    provider.hang(300)
    server = serve()
    assert server.do("run_async", {"num_cards": 1})["status"] == "processing"
    wait_until(server.do, lambda state: state.get("progress") == 0.3)
    server.process.send_signal(how)
    server.process.wait(timeout=120)  # it does not wait for the model
    provider.hang(0)
    do = serve().do
    assert wait_until(do, lambda state: state["status"] != "processing")["status"] == "failed"
    assert do("get_current_session_response")["cards"] is None
    do("run_async", {"num_cards": 1})
    assert wait_until(do, lambda state: state["status"] == "completed")["response"][0]["answer"] == "Water."


def test_a_run_that_waited_when_the_server_stopped_is_done_by_the_next(serve, provider):
    server = serve()
    provider.hang(300)
    for _number in range(4):  # as many as run at once
        assert server.do("run_async", {"num_cards": 1})["status"] == "processing"
        wait_until(server.do, lambda state: state.get("progress") == 0.3)
        assert server.do("cancel_run")["status"] == "cancelled"
    assert server.do("run_async", {"num_cards": 1})["status"] == "processing"
    time.sleep(1)
    assert server.do("get_run_status")["message"] == "Waiting for the AI."
    server.process.kill()
    server.process.wait()
    provider.hang(0)
    do = serve().do
    assert wait_until(do, lambda state: state["status"] == "completed")["response"][0]["answer"] == "Water."
