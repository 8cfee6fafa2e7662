"""The stream itself: whole characters, usage, heartbeats, deadlines, and a provider that is let go."""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest

from openedx_ai_extensions.exceptions import StreamInterrupted
from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.processors.llm.provider import stream as stream_module
from tests.conftest import SECRET
from tests.waiting import eventually

CONFIG = {"LLMProcessor": {"prompt": "Tell."}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


@pytest.fixture(autouse=True)
def _database(db):
    """The processor looks prompts up."""


def process(**config):
    return LLMProcessor({"LLMProcessor": {**CONFIG["LLMProcessor"], **config}}).process(input_data="Why?")


def test_whole_characters_and_usage(provider):
    words = ["Näive ", "光合作用 ", "🌱", " end"]
    provider.reply(words, usage=USAGE, split_bytes=True)
    stream = process()
    assert isinstance(stream, Generator)
    chunks = list(stream)
    assert "".join(chunk.decode() for chunk in chunks) == "".join(words)
    assert dict(stream.usage) == USAGE
    assert stream.model_used == "gpt-fake"
    assert list(stream) == []


def test_usage_that_is_not_reported_is_empty(provider):
    provider.reply(["a"], usage=None)
    stream = process()
    list(stream)
    assert dict(stream.usage) == {}


@pytest.mark.parametrize("model", ["hosted_vllm/fake", "deepseek/fake"])
@pytest.mark.parametrize("stream", [True, False])
def test_providers_read_through_litellm_say_the_same(provider, settings, model, stream):
    settings.AI_EXTENSIONS = {"default": {"MODEL": model, "API_KEY": SECRET, "API_BASE": provider.base_url}}
    provider.reply(["one ", "two"], usage=USAGE)
    answer = process(stream=stream)
    text = b"".join(answer).decode() if stream else answer["response"]
    usage = answer.usage if stream else answer["usage"]
    assert text == "one two"
    assert dict(usage) == USAGE


@pytest.mark.parametrize("stream", [True, False])
def test_a_scripted_provider(settings, stream):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x", "API_KEY": "none", "MOCK_RESPONSE": "As written."}}
    answer = process(stream=stream)
    assert (b"".join(answer).decode() if stream else answer["response"]) == "As written."


def test_silence_is_told_by_empty_chunks(provider, monkeypatch):
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 0.05)
    provider.reply(["one ", "two"], delay=60)
    stream = process()
    chunks = [next(stream)]
    while chunks.count(b"") < 3:
        chunks.append(next(stream))
    provider.go_on()
    chunks += stream
    assert b"".join(chunks) == b"one two"


@pytest.mark.parametrize("limit", ["AI_EXTENSIONS_FIRST_BYTE_TIMEOUT", "AI_EXTENSIONS_TOTAL_TIMEOUT"])
def test_deadlines_hold_in_the_middle_of_a_stream(provider, settings, limit):
    setattr(settings, limit, 1.5)
    provider.reply(["one ", "two"], delay=300)
    stream = process()
    assert next(stream) == b"one "
    with pytest.raises(StreamInterrupted):
        list(stream)


@pytest.mark.parametrize("read", [0, 1], ids=["unread", "after a chunk"])
@pytest.mark.parametrize("delay", [0.02, 0.5], ids=["while chunks flow", "while waiting for one"])
@pytest.mark.parametrize("end", ["closed", "forgotten"])
def test_a_reader_who_leaves_lets_the_provider_go(provider, read, delay, end):
    provider.reply(["x" * 2000] * 400, delay=delay)
    stream = process()
    for _ in range(read):
        next(stream)
    if end == "closed":
        stream.close()
        assert list(stream) == []
    else:
        del stream
        gc.collect()
    eventually(lambda: provider.disconnects == 1)


def test_connections_are_reused(provider):
    for _ in range(4):
        process(stream=False)
    assert len(provider.requests) == 4
    assert provider.connections == 1
