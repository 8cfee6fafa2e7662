"""What each fault of a provider becomes: an error of ours, after as many calls as make sense, without a secret."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    AnswerDeclined,
    ContextWindowExceeded,
    InvalidAPIKey,
    LLMConfigError,
    ProviderRateLimited,
    ServiceUnavailable,
    StreamInterrupted,
)
from openedx_ai_extensions.processors import LLMProcessor
from tests.conftest import SECRET

WORDS = "the learner's private words"
PROMPT = "the operator's private prompt"


def error_body(message, code=None):
    return {"error": {"message": f"{message} {SECRET}", "type": "error", "param": None, "code": code}}


def chain(error):
    """The exception and everything a traceback would show behind it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@pytest.fixture
def ask(db, provider, settings, caplog):
    settings.AI_EXTENSIONS_MAX_RETRIES = 1

    def call(*, stream):
        config = {"LLMProcessor": {"prompt": PROMPT, "stream": stream}}
        answer = LLMProcessor(config).process(context="course text", input_data=WORDS)
        return b"".join(answer).decode() if stream else answer["response"]

    yield call
    assert SECRET not in caplog.text
    assert WORDS not in caplog.text
    assert PROMPT not in caplog.text


def assert_clean(error: AIExtensionsError) -> None:
    for link in chain(error):
        assert SECRET not in str(link)
        assert WORDS not in str(link)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("status", "body", "headers", "expected", "calls"),
    [
        pytest.param(401, error_body("Incorrect API key"), {}, InvalidAPIKey, 1, id="key refused"),
        pytest.param(403, error_body("forbidden"), {}, InvalidAPIKey, 1, id="key may not"),
        pytest.param(404, error_body("no such model"), {}, LLMConfigError, 1, id="no such model"),
        pytest.param(400, error_body("unknown option"), {}, LLMConfigError, 1, id="bad option"),
        pytest.param(
            400, error_body("maximum context length is 10", "context_length_exceeded"), {}, ContextWindowExceeded, 1,
            id="too long",
        ),
        pytest.param(400, error_body("prompt is too long: 9"), {}, ContextWindowExceeded, 1, id="too long, otherwise"),
        pytest.param(400, error_body("content_policy_violation"), {}, AnswerDeclined, 1, id="declined"),
        pytest.param(429, error_body("slow down"), {"Retry-After": "0"}, ProviderRateLimited, 2, id="rate limit"),
        pytest.param(429, error_body("slow down"), {"Retry-After": "9999"}, ProviderRateLimited, 1, id="a long wait"),
        pytest.param(429, error_body("pay", "insufficient_quota"), {}, ProviderRateLimited, 1, id="out of credit"),
        pytest.param(402, error_body("Insufficient Balance"), {}, ProviderRateLimited, 1, id="DeepSeek: no credit"),
        pytest.param(
            400, error_body("Your credit balance is too low to access the API."), {}, ProviderRateLimited, 1,
            id="Anthropic: no credit",
        ),
        pytest.param(498, error_body("capacity exceeded"), {}, ServiceUnavailable, 2, id="Groq: no capacity"),
        pytest.param(409, error_body("conflict"), {}, ServiceUnavailable, 2, id="conflict"),
        pytest.param(500, error_body("oops"), {}, ServiceUnavailable, 2, id="broken"),
        pytest.param(502, b"<html>bad gateway</html>", {}, ServiceUnavailable, 2, id="proxy broken"),
        pytest.param(503, error_body("overloaded"), {}, ServiceUnavailable, 2, id="overloaded"),
    ],
)  # fmt: skip
def test_refusals(ask, provider, stream, status, body, headers, expected, calls):
    provider.fail(status, body, headers)
    with pytest.raises(AIExtensionsError) as caught:
        ask(stream=stream)
    assert type(caught.value) is expected
    assert len(provider.requests) == calls
    assert_clean(caught.value)
    if headers:
        assert caught.value.retry_after == int(headers["Retry-After"])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_fault_that_passes_is_not_noticed(ask, provider, stream):
    provider.fail(503, times=1)
    provider.reply(["fine"])
    assert ask(stream=stream) == "fine"
    assert len(provider.requests) == 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_garbage(ask, provider, stream):
    provider.garbage()
    with pytest.raises(ServiceUnavailable) as caught:
        ask(stream=stream)
    assert_clean(caught.value)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_nobody_there(ask, settings, stream):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x", "API_KEY": SECRET, "API_BASE": "http://127.0.0.1:9/v1"}}
    with pytest.raises(ServiceUnavailable) as caught:
        ask(stream=stream)
    assert_clean(caught.value)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_silence(ask, provider, settings, stream):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_FIRST_BYTE_TIMEOUT = 0.4
    settings.AI_EXTENSIONS_TOTAL_TIMEOUT = 0.6
    provider.hang(30)
    with pytest.raises(ServiceUnavailable):
        ask(stream=stream)


def test_a_stream_cut_before_the_first_text_is_tried_again(ask, provider):
    provider.cut_after(0)
    with pytest.raises(ServiceUnavailable):
        ask(stream=True)
    assert len(provider.requests) == 2


def test_a_stream_cut_after_the_first_text_is_interrupted_and_not_tried_again(db, provider):
    provider.reply(["one ", "two ", "three "], delay=0.05)
    provider.cut_after(2)
    received = []
    with pytest.raises(StreamInterrupted) as caught:
        received.extend(LLMProcessor({"LLMProcessor": {"prompt": PROMPT}}).process(input_data=WORDS))
    assert b"".join(received) == b"one two "
    assert len(provider.requests) == 1
    assert_clean(caught.value)


def test_a_stream_that_stops_without_saying_so_is_interrupted(db, provider):
    """The connection ends in good order, but the model never said that it was done."""
    provider.reply(["one ", "two "])
    provider.script.unfinished = True
    received = []
    with pytest.raises(StreamInterrupted):
        received.extend(LLMProcessor({"LLMProcessor": {"prompt": PROMPT}}).process(input_data=WORDS))
    assert b"".join(received) == b"one two "
