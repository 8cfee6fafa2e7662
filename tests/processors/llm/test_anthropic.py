"""Anthropic's Messages API on the wire: what LiteLLM must understand for us."""

from __future__ import annotations

import json

import pytest
from werkzeug import Response

from openedx_ai_extensions.exceptions import InvalidAPIKey, ProviderRateLimited, ServiceUnavailable, StreamInterrupted
from openedx_ai_extensions.processors import LLMProcessor
from tests.conftest import SECRET

MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-fake", "stop_reason": "end_turn",
    "stop_sequence": None, "content": [{"type": "text", "text": "Léaf 🌱"}],
    "usage": {"input_tokens": 7, "output_tokens": 3},
}  # fmt: skip
START = {**MESSAGE, "content": [], "stop_reason": None, "usage": {"input_tokens": 7, "output_tokens": 1}}
EVENTS = [
    {"type": "message_start", "message": START},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Léaf "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "🌱"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 3},
    },
    {"type": "message_stop"},
]


@pytest.fixture
def anthropic(db, httpserver, settings):
    """Serve these events, or the whole message, or an error."""
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    base = httpserver.url_for("").rstrip("/")
    settings.AI_EXTENSIONS = {"default": {"MODEL": "anthropic/claude-fake", "API_KEY": SECRET, "API_BASE": base}}

    def answer(request, events=EVENTS):
        if not json.loads(request.data).get("stream"):
            return Response(json.dumps(MESSAGE), content_type="application/json")
        body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        return Response(body.encode(), content_type="text/event-stream")

    def serve(events=EVENTS, status=None):
        if status is not None:
            body = {"type": "error", "error": {"type": "some_error", "message": f"no {SECRET}"}}
            httpserver.expect_request("/v1/messages").respond_with_json(body, status=status)
        else:
            httpserver.expect_request("/v1/messages").respond_with_handler(lambda request: answer(request, events))

    return serve


def process(*, stream):
    config = {"LLMProcessor": {"prompt": "Tell.", "stream": stream}}
    return LLMProcessor(config).process(context="Leaves.", input_data="Why?")


def test_a_whole_answer(anthropic):
    anthropic()
    answer = process(stream=False)
    assert answer["response"] == "Léaf 🌱"
    assert answer["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def test_a_stream(anthropic):
    anthropic()
    stream = process(stream=True)
    assert b"".join(stream).decode() == "Léaf 🌱"
    assert dict(stream.usage) == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def test_a_stream_that_stops_without_saying_so(anthropic):
    anthropic(EVENTS[:4])
    received = []
    with pytest.raises(StreamInterrupted):
        received.extend(process(stream=True))
    assert b"".join(received).decode() == "Léaf 🌱"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, InvalidAPIKey), (429, ProviderRateLimited), (500, ServiceUnavailable), (529, ServiceUnavailable)],
)
def test_refusals(anthropic, caplog, stream, status, expected):
    anthropic(status=status)
    with pytest.raises(expected) as caught:
        process(stream=stream)
    assert SECRET not in caplog.text + str(caught.value)
