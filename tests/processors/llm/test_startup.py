"""LiteLLM costs seconds and a hundred megabytes: it stays out until somebody asks a model."""

import subprocess
import sys

SETUP = "import django, os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup(); "


def run(code):
    return subprocess.run([sys.executable, "-c", SETUP + code], capture_output=True, text=True, check=False)


def test_starting_django_does_not_import_it():
    result = run("sys.exit(any(name.partition('.')[0] in {'litellm', 'openai'} for name in sys.modules))")
    assert result.returncode == 0, result.stderr


def test_importing_it_asks_nothing_of_the_network():
    result = run(
        "import socket\n"
        "def refuse(*args): sys.exit('it connects')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from openedx_ai_extensions.processors.llm.provider import gateway\n"
        "gateway.warm_up()\n"
        "assert 'litellm' in sys.modules\n"
    )
    assert result.returncode == 0, result.stderr
