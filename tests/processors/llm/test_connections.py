"""A stream's connection to the provider: there for everybody, and of use again at once."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from openedx_ai_extensions.processors import LLMProcessor
from tests.conftest import SECRET
from tests.waiting import eventually

# Where an HTTP client stops by itself, and LiteLLM's with it.
USUAL_LIMIT = 100
MORE = USUAL_LIMIT + 10


pytestmark = pytest.mark.django_db(transaction=True)  # other threads write what these streams cost


@pytest.fixture(autouse=True)
def _no_garbage_collector():
    """It would close what was forgotten."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(params=["chat", "responses", "anthropic", "a client of LiteLLM's"])
def stream(request, provider, settings) -> Callable[[], Any]:
    """Open a stream, by each of the APIs."""
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_FIRST_BYTE_TIMEOUT = 300
    entry = {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": provider.base_url}
    if request.param == "responses":
        entry["CAPABILITIES"] = {"keeps_threads": True}
    if request.param == "anthropic":
        entry |= {"MODEL": "anthropic/claude-fake", "API_BASE": provider.anthropic_url}
    if request.param == "a client of LiteLLM's":
        entry["MODEL"] = "hosted_vllm/fake"
    settings.AI_EXTENSIONS = {"default": entry}
    return lambda: LLMProcessor({"LLMProcessor": {"prompt": "Tell.", "stream": True}}).process(
        context="Leaves.", input_data="Why?"
    )


# OpenAI's APIs are read by code that closes the connection at the last word.
@pytest.mark.parametrize("stream", ["anthropic", "a client of LiteLLM's"], indirect=True)
def test_the_next_stream_takes_the_connection_of_the_last(stream, provider):
    provider.reply(["Because ", "of ", "light."])
    for _number in range(10):
        assert b"".join(stream()) == b"Because of light."
    assert provider.connections <= 3


def test_whoever_goes_away_holds_nothing(stream, provider):
    provider.reply(["word "] * 20)
    for _number in range(MORE):
        answer = stream()
        assert next(answer)
        answer.close()
    provider.reply("Still there.")
    assert b"".join(stream()) == b"Still there."


@pytest.mark.parametrize("stream", ["chat", "responses", "anthropic"], indirect=True)
def test_many_at_once(stream, provider):
    provider.reply(["Because ", "of ", "light."])
    provider.hang(300)
    with ThreadPoolExecutor(MORE) as pool:
        answers = [pool.submit(lambda: b"".join(stream())) for _number in range(MORE)]
        eventually(lambda: len(provider.requests) == MORE)
        provider.go_on()
        assert {answer.result() for answer in answers} == {b"Because of light."}


def test_closing_what_is_over_does_not_touch_the_next(stream, provider):
    provider.reply(["Because ", "of ", "light."])
    over = stream()
    assert b"".join(over) == b"Because of light."
    provider.reply([f"word{number} " for number in range(20)], delay=0.01)
    current = stream()
    first = list(itertools.islice(current, 2))
    over.close()
    assert b"".join([*first, *current]).endswith(b"word19 ")
