"""Who goes away in the middle of an answer, the learner or our own process, finds the conversation as it was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from openedx_ai_extensions.processors.openedx import submission
from tests.api.test_disconnect import port, read_until, send, working_threads
from tests.waiting import PATIENCE, eventually
from tests.workflows.conversations.conftest import SSE, Chat

__all__ = ["port"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)

REPO = Path(__file__).resolve().parents[3]
PLAIN = {"Accept": "text/plain"}
WORDS = [f"word{number} " for number in range(1000)]
SERVER = """
import json, sys
import django
from django.conf import settings
for name, value in json.loads(sys.argv[1]).items():
    setattr(settings, name, value)
django.setup()
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from openedx_ai_extensions.demo.server import HOST
from openedx_ai_extensions.processors.llm.provider import library
library.warm_up()  # importing LiteLLM is no part of a request's time
server = ThreadedWSGIServer((HOST, 0), WSGIRequestHandler)
server.set_app(get_wsgi_application())
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(params=["our history", "the provider's threads"])
def memory(request, provider):
    if request.param == "the provider's threads":
        request.getfixturevalue("responses")
    return request.param


def leave(port, chat, provider, text, headers):
    """Go away after a few words of the answer; back when nobody works on it any more."""
    provider.reply(WORDS, delay=0.1)
    others, before = working_threads(), provider.disconnects
    with send(port, chat.api, headers["Accept"], text) as client:
        read_until(client, b"word3")
    eventually(lambda: provider.disconnects == before + 1)
    eventually(lambda: working_threads() <= others)


def messages(chat):
    return json.loads(chat.answer())["messages"]


@pytest.mark.parametrize("headers", [PLAIN, SSE], ids=["plain text", "server-sent events"])
def test_what_was_seen_is_kept(port, chat, provider, memory, tracked, headers):
    leave(port, chat, provider, "why is it green?", headers)
    question, answer = messages(chat)
    assert (question["content"], "status" in question) == ("why is it green?", False)
    assert (answer["status"], answer["code"]) == ("interrupted", "cancelled")
    assert answer["content"].startswith("word0 word1 word2 word3")
    assert "".join(WORDS).startswith(answer["content"])
    assert len(answer["content"]) < len("".join(WORDS)) / 2
    assert tracked == []


def test_asking_again_replaces_what_was_cut_off(port, chat, provider, memory, tracked):
    provider.reply("Hello.")
    chat.answer("hello")
    leave(port, chat, provider, "why is it green?", PLAIN)
    leave(port, chat, provider, "why is it green?", PLAIN)
    assert [message.get("status") for message in messages(chat)] == [None, None, None, "interrupted"]

    provider.reply("Chlorophyll.")
    assert chat.answer("why is it green?") == "Chlorophyll."
    hello = [("user", "hello"), ("assistant", "Hello.")]
    assert chat.shown() == [*hello, ("user", "why is it green?"), ("assistant", "Chlorophyll.")]
    assert not any("status" in message for message in messages(chat))
    assert "word1" not in json.dumps(provider.requests[-1]), "the model is asked anew"
    chat.answer("sure?")
    sent = json.dumps(provider.requests[-1])
    assert sent.count("why is it green?") == (0 if "previous_response_id" in sent else 1)
    assert "word1" not in sent
    names = [event["name"].rsplit(".", 1)[-1] for event in tracked]
    assert names == ["initialized", "interacted", "interacted"]


def test_going_on_from_what_was_cut_off(port, chat, provider, memory):
    leave(port, chat, provider, "why is it green?", PLAIN)
    provider.reply("As I said.")
    chat.answer("go on")
    request = json.dumps(provider.requests[-1])
    assert "previous_response_id" not in request
    assert "why is it green?" in request
    assert "word1" in request, "the model knows what the learner has read of it"
    assert [message.get("status") for message in messages(chat)] == [None, "interrupted", None, None]


def test_leaving_a_greeting(port, chat, provider, memory, tracked):
    leave(port, chat, provider, None, PLAIN)
    (greeting,) = messages(chat)
    assert greeting["status"] == "interrupted"
    assert tracked == []


@pytest.fixture
def process():
    """Another process that serves the site on this test's database: its handle and its port."""
    names = ("ENGINE", "NAME", "USER", "HOST", "OPTIONS")
    database = {name: connection.settings_dict[name] for name in names}
    changed = {
        "DATABASES": {"default": {**database, "NAME": str(database["NAME"])}},
        "AI_EXTENSIONS": django_settings.AI_EXTENSIONS,
    }
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, json.dumps(changed)], cwd=REPO, stdout=subprocess.PIPE, text=True
    ) as child:
        yield child, int(child.stdout.readline())
        child.kill()


def test_a_process_that_dies_before_it_saves(chat, author, provider, memory, request, settings, monkeypatch, tracked):
    settings.AI_EXTENSIONS_TOTAL_TIMEOUT = 60
    # The provider's text has come, its end has not: nothing of it is stored yet.
    provider.reply(["It is all said."], delay=60)
    child, port = request.getfixturevalue("process")
    another = Chat(author)
    with (
        send(port, chat.api, PLAIN["Accept"], "why is it green?") as client,
        send(port, another.api, PLAIN["Accept"], "why is it green?") as other_client,
    ):
        read_until(client, b"It is all said.")
        read_until(other_client, b"It is all said.")
        child.send_signal(signal.SIGKILL)
        assert child.wait(PATIENCE) == -signal.SIGKILL
    question, answer = ("user", "why is it green?"), ("assistant", "Chlorophyll.")
    assert [each.shown() for each in (chat, another)] == [[question], [question]]

    # Just after, the first may be under way in another tab, for all that anybody knows.
    provider.reply("Chlorophyll.")
    assert chat.answer("why is it green?") == "Chlorophyll."
    assert chat.shown() == [question, question, answer]
    assert json.dumps(provider.requests[-1]).count("why is it green?") == 1

    # The site takes a turn for dead after this long.
    monkeypatch.setattr(submission, "ANSWER_GRACE_SECONDS", 0.1 - settings.AI_EXTENSIONS_TOTAL_TIMEOUT)
    time.sleep(0.2)
    assert [message["status"] for message in messages(another)] == ["failed"]
    assert another.answer("why is it green?") == "Chlorophyll."
    assert another.shown() == [question, answer]
    assert json.dumps(provider.requests[-1]).count("why is it green?") == 1
    assert [event["name"] for event in tracked] == ["openedx.ai.workflow.initialized"] * 2
