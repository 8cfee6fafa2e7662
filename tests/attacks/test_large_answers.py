"""An answer has an end: what a provider sends beyond it is not read, not kept and not passed on."""

from __future__ import annotations

import gzip
import json

import pytest

from openedx_ai_extensions.models import AIWorkflowRun
from openedx_ai_extensions.processors.llm.provider import connections
from tests.api.conftest import error_of, text_of
from tests.fakes.provider import Ending, Fail, Wire
from tests.waiting import eventually
from tests.workflows.conversations.conftest import CHAT, JSON, Chat, api

__all__ = ["api"]

pytestmark = pytest.mark.django_db

LIMIT = 1000
NOTICE = "longer than this site allows"
SENT = 8 * 1024 * 1024  # bytes


@pytest.fixture(autouse=True)
def _limits(settings, monkeypatch):
    settings.AI_EXTENSIONS_MAX_ANSWER_CHARS = LIMIT
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    monkeypatch.setattr(connections, "OVERHEAD_BYTES", 64 * 1024)


@pytest.fixture
def chat(api, learner, make_scope) -> Chat:
    make_scope(base_filepath=CHAT, slug="chat")
    return Chat(learner)


def of_body(size: int) -> bytes:
    """A whole answer of so many bytes."""
    message = {"role": "assistant", "content": "x" * size}
    return json.dumps({"id": "c", "model": "m", "choices": [{"index": 0, "message": message}]}).encode()


def test_a_stream_that_does_not_end_is_ended(chat, provider, caplog):
    provider.reply(["word "] * 100_000)
    (*_begun, (name, done)) = events = chat.events("Write!")
    text = "".join(data["text"] for event, data in events if event == "delta")
    assert text == ("word " * LIMIT)[:LIMIT]
    assert (name, done["finish_reason"]) == ("done", "site_limit")
    assert NOTICE in done["message"]
    eventually(lambda: provider.disconnects == 1)  # nobody reads the rest
    run = AIWorkflowRun.objects.get()
    assert (run.outcome, run.finish_reason) == ("completed", "site_limit")
    assert 0 < run.completion_tokens <= LIMIT
    assert f"llm.answer.cut_off provider=default model={run.model} limit={LIMIT}" in caplog.text
    (question, (role, answer)) = chat.shown()
    assert (question, role) == (("user", "Write!"), "assistant")
    assert answer.startswith(text.rstrip())
    assert NOTICE in answer


def test_a_plain_stream_says_so_too(chat, provider):
    provider.reply(["word "] * 10_000)
    text = text_of(chat.say("Write!", headers={}))
    assert text.startswith(("word " * LIMIT)[:LIMIT])
    assert len(text) < LIMIT + 200
    assert NOTICE in text


def test_a_whole_answer_is_cut_off(chat, provider):
    provider.reply("word " * 2000)
    answer = chat.say("Write!", headers=JSON).json()
    assert answer["finish_reason"] == "site_limit"
    assert answer["response"].startswith(("word " * LIMIT)[:LIMIT])
    assert len(answer["response"]) < LIMIT + 200
    assert AIWorkflowRun.objects.get().finish_reason == "site_limit"


def test_one_of_just_the_length_is_whole(chat, provider):
    for headers in (JSON, {}):
        provider.reply("x" * LIMIT)
        response = chat.say("Write!", headers=headers)
        assert (text_of(response) if response.streaming else response.json()["response"]) == "x" * LIMIT


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Wire(whole=of_body(SENT)), id="a body"),
        pytest.param(Fail(200, gzip.compress(of_body(SENT)), {"Content-Encoding": "gzip"}), id="a compressed body"),
        pytest.param(Fail(500, b"x" * SENT), id="an error"),
    ],
)
def test_a_body_that_is_far_too_long_is_not_read(learner, make_scope, provider, step):
    make_scope(base_filepath=CHAT, slug="chat")
    provider.then(step)
    assert error_of(Chat(learner).say("Write!", headers=JSON)) == (500, "answer_too_long")
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"data: " + b"x" * 60_000, id="a line without an end"),
        pytest.param(b": " + b"x" * 60_000 + b"\n", id="comments without an end"),
    ],
)
def test_nor_is_a_stream(learner, make_scope, provider, piece):
    make_scope(base_filepath=CHAT, slug="chat")
    provider.then(Wire([piece] * (SENT // len(piece)), ending=Ending.PROPER))
    assert error_of(Chat(learner).say("Write!", headers={})) == (500, "answer_too_long")
    eventually(lambda: provider.disconnects == 1)
