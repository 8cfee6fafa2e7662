"""Asking the demo on the command line, as a newcomer does."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.fakes.provider import FakeProvider


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The demo's own: what is in its database comes there once."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def ask(folder):
    """Ask on the command line; a fake provider answers."""
    with FakeProvider() as provider:

        def run(*arguments):
            providers = {"default": {"MODEL": "openai/gpt-fake", "API_KEY": "k", "API_BASE": provider.base_url}}
            environment = {
                **os.environ,
                "AI_EXTENSIONS": json.dumps(providers),
                "AI_EXTENSIONS_DEMO_DIR": str(folder),
                "DJANGO_SETTINGS_MODULE": "openedx_ai_extensions.demo.settings",
            }
            command = [sys.executable, "-m", "openedx_ai_extensions.demo", "ask", *arguments]
            result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert "Traceback" not in result.stderr
            assert "No module named" not in result.stderr
            return result

        yield run, provider


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        pytest.param(["Why?"], 0, "Hello from the model.\n", "provider in AI_EXTENSIONS", id="an answer"),
        pytest.param(["--slot", "unit-simple"], 0, "Hello from the model.\n", "", id="another slot"),
        pytest.param(["--as", "stranger"], 1, "", "You do not have permission", id="somebody who may not"),
        pytest.param(["--slot", "nowhere"], 1, "", "No AI workflow is set up here", id="an empty slot"),
        pytest.param(["--action", "dance"], 1, "", "no such action", id="an unknown action"),
        pytest.param(["--as", "nobody"], 2, "", "There is no person with the name nobody", id="an unknown person"),
    ],
)
def test_asking_on_the_command_line(ask, arguments, code, out, err):
    run, _provider = ask
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (code, out)
    assert err in result.stderr


def test_a_stream_that_breaks_is_a_failure(ask):
    run, provider = ask
    provider.cut_after(1)
    result = run("Why?")
    assert result.returncode == 1
    assert "error_in_stream" in result.stdout


def test_without_any_model_the_tutor_speaks_from_a_script(folder):
    keys = ("AI_EXTENSIONS", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AI_EXTENSIONS_DEMO_MODEL_URL")
    environment = {name: value for name, value in os.environ.items() if name not in keys} | {
        "AI_EXTENSIONS_DEMO_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "openedx_ai_extensions.demo.settings",
    }
    command = [sys.executable, "-m", "openedx_ai_extensions.demo", "ask", "--slot", "unit-chat", "Why?"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "This answer is scripted." in result.stdout
    assert "- Where does the oxygen come from?" in result.stdout
    assert result.returncode == 0
