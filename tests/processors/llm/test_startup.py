"""LiteLLM costs seconds and a hundred megabytes: only a call of a model, or the start of a web server, imports it."""

import os
import re
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest

from tests.fakes.provider import FakeProvider
from tests.waiting import PATIENCE, eventually

SERVED = "tests.processors.llm.served_by_gunicorn"
SETUP = "import django, os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup(); "


def run(code, *, before=""):
    return subprocess.run([sys.executable, "-c", before + SETUP + code], capture_output=True, text=True, check=False)


def test_starting_django_does_not_import_it():
    result = run("sys.exit(any(name.partition('.')[0] in {'litellm', 'openai'} for name in sys.modules))")
    assert result.returncode == 0, result.stderr


def test_importing_it_asks_nothing_of_the_network():
    result = run(
        "import socket\n"
        "def refuse(*args): sys.exit('it connects')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from openedx_ai_extensions.processors.llm.provider import library\n"
        "library.warm_up()\n"
        "assert 'litellm' in sys.modules\n"
    )
    assert result.returncode == 0, result.stderr


def test_an_exit_waits_for_an_import_in_a_thread():
    """A thread that dies within an import keeps the import lock, and LiteLLM imports more when Python exits."""
    result = run(
        "import threading, time\n"
        "from openedx_ai_extensions.processors.llm.provider import library\n"
        "threading.Thread(target=library.warm_up, daemon=True).start()\n"
        "while 'litellm' not in sys.modules: time.sleep(0.001)\n",
        # What is registered first runs last.
        before="import atexit; atexit.register(lambda: print(sys.modules['litellm'].disable_streaming_logging));",
    )
    assert (result.stdout, result.returncode) == ("True\n", 0), result.stderr


CALLS = """
from django.test import override_settings
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.processors.llm.provider import gateway
from openedx_ai_extensions.processors.llm.provider.types import Request, Thread

messages = [{{"role": "user", "content": "Why are leaves green?"}}]
for model, base, extra in (
    ("openai/gpt-fake", "{url}", {{}}),
    ("openai/gpt-fake", "{url}", {{"thread": Thread()}}),
    ("anthropic/claude-fake", "{url}".removesuffix("/v1"), {{}}),
    ("gemini/gemini-fake", "{url}", {{}}),  # which the provider does not know
):
    entry = {{"MODEL": model, "API_KEY": "sk-test", "API_BASE": base, "MAX_RETRIES": 0}}
    with override_settings(AI_EXTENSIONS={{"default": entry}}):
        try:
            answer = gateway.complete(Request("default", messages, **extra))
            streamed = b"".join(gateway.stream(Request("default", messages, **extra))).decode()
            print(answer.text == streamed == "Chlorophyll.")
        except AIExtensionsError as error:
            print(error.code)
unneeded = ("fastapi", "litellm.proxy._types", "litellm.proxy._experimental", "mcp", "tiktoken_ext.openai_public")
print(*(name for name in unneeded if name in sys.modules))
"""


@pytest.mark.once
def test_calls_do_not_import_its_proxy_or_a_tokenizer():
    with FakeProvider() as fake:
        fake.reply("Chlorophyll.")
        result = run(CALLS.format(url=fake.base_url))
    assert result.stdout.split() == ["True", "True", "True", "llm_config_error"], result.stderr


@contextmanager
def gunicorn(*options, preload="yes"):
    """gunicorn; yields a function that asks whether LiteLLM was imported at the start, and is now."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:0", *options, f"{SERVED}:application"],
        env={**os.environ, "PRELOAD": preload},
        stderr=subprocess.PIPE,
        text=True,
    )
    address = next(found[0] for line in process.stderr if (found := re.search(r"http://127[.0-9]+:\d+", line)))

    def ask():
        with urllib.request.urlopen(address, timeout=PATIENCE) as response:
            return response.read().decode()

    try:
        yield ask
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.once
def test_a_web_server_that_preloads_imports_it_before_its_workers_start():
    with gunicorn("--preload") as ask:
        assert ask() == "True True"


@pytest.mark.once
def test_a_worker_that_loads_the_application_itself_imports_it_in_the_background():
    with gunicorn() as ask:
        assert ask().startswith("False")
        eventually(lambda: ask() == "False True")


@pytest.mark.once
def test_a_site_can_leave_it_to_the_first_call():
    with gunicorn("--preload", preload="no") as ask:
        assert ask() == "False False"
