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


@pytest.fixture
def provider():
    with FakeProvider() as provider:
        provider.reply(CARDS)
        yield provider


@pytest.fixture
def serve(tmp_path, provider):
    """Start the server on the same data; returns its process, and a function that runs an action as the learner."""
    entry = {"MODEL": "openai/gpt-fake", "API_KEY": "sk-fake", "API_BASE": provider.base_url}
    environment = {
        **os.environ,
        "AI_EXTENSIONS": json.dumps({"default": entry}),
        "AI_EXTENSIONS_DEMO_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "openedx_ai_extensions.demo.settings",
    }
    command = [sys.executable, "-u", "-m", "openedx_ai_extensions.demo", "--no-model", "--port", "9150"]
    started = []

    def start():
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        url = next(found[0] for found in (re.search(r"http://[\d.]+:\d+", line) for line in process.stdout) if found)
        browser = requests.Session()
        browser.get(f"{url}/").raise_for_status()
        headers = {"X-CSRFToken": browser.cookies["csrftoken"]}
        browser.post(f"{url}/login/learner/", headers=headers).raise_for_status()

        def do(action, user_input=None):
            headers = {"X-CSRFToken": browser.cookies["csrftoken"]}
            address, context = f"{url}/openedx-ai-extensions/v1/workflows/", {"context": json.dumps(PLACE)}
            body = {"action": action, "user_input": user_input}
            return browser.post(address, params=context, json=body, headers=headers, timeout=120).json()

        return process, do

    yield start
    for process in started:
        process.kill()
        process.communicate()


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
    provider.hang(40)
    process, do = serve()
    assert do("run_async", {"num_cards": 1})["status"] == "processing"
    wait_until(do, lambda state: state.get("progress") == 0.3)
    process.send_signal(how)
    process.wait(timeout=20)  # it does not wait for the model
    provider.hang(0)
    _process, do = serve()
    assert wait_until(do, lambda state: state["status"] != "processing")["status"] == "failed"
    assert do("get_current_session_response")["cards"] is None
    do("run_async", {"num_cards": 1})
    assert wait_until(do, lambda state: state["status"] == "completed")["response"][0]["answer"] == "Water."


def test_a_run_that_waited_when_the_server_stopped_is_done_by_the_next(serve, provider):
    process, do = serve()
    provider.hang(40)
    for _number in range(4):  # as many as run at once
        assert do("run_async", {"num_cards": 1})["status"] == "processing"
        wait_until(do, lambda state: state.get("progress") == 0.3)
        assert do("cancel_run")["status"] == "cancelled"
    assert do("run_async", {"num_cards": 1})["status"] == "processing"
    time.sleep(1)
    assert do("get_run_status")["message"] == "Waiting for the AI."
    process.kill()
    process.wait()
    provider.hang(0)
    _process, do = serve()
    assert wait_until(do, lambda state: state["status"] == "completed")["response"][0]["answer"] == "Water."
