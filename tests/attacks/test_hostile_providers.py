"""A provider that means harm: what it sends fills no memory, sends nothing elsewhere, and holds nothing for ever."""

from __future__ import annotations

import gzip
import json
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from openedx_ai_extensions.processors.llm.provider import connections
from tests.api.conftest import error_of, text_of
from tests.fakes.provider import CallTools, Fail, FakeProvider, ToolCall, Wire
from tests.waiting import PATIENCE, eventually
from tests.workflows.conversations.conftest import CHAT, JSON, Chat, api

__all__ = ["api"]

pytestmark = pytest.mark.django_db

MEMORY = 80_000_000  # bytes, for all that a call takes, with what LiteLLM imports for it
UNAVAILABLE = (503, "service_unavailable")
TOO_LONG = {(500, "answer_too_long"), UNAVAILABLE}  # of some errors LiteLLM does not say why it could not read them
MODES = [pytest.param(JSON, id="whole"), pytest.param({}, id="streamed")]


@pytest.fixture(autouse=True)
def _limits(settings, monkeypatch):
    settings.AI_EXTENSIONS_MAX_ANSWER_CHARS = 1000
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    monkeypatch.setattr(connections, "OVERHEAD_BYTES", 64 * 1024)


@pytest.fixture
def chat(api, provider, learner, make_scope) -> Chat:
    make_scope(base_filepath=CHAT, slug="chat")
    return Chat(learner)


def squeezed(size: int, times: int = 1) -> bytes:
    """So many bytes of nothing, compressed."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    body = b"".join([*(squeezer.compress(b" " * 1_000_000) for _part in range(size // 1_000_000)), squeezer.flush()])
    return body if times == 1 else gzip.compress(body)


BOMB = squeezed(200_000_000)
NESTED = squeezed(200_000_000, times=2)


@pytest.mark.parametrize("headers", MODES)
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        pytest.param(BOMB, "gzip", TOO_LONG, id="once"),
        pytest.param(NESTED, "gzip, gzip", {UNAVAILABLE}, id="twice"),
        pytest.param(NESTED, "br", {UNAVAILABLE}, id="in a way that was not asked for"),
        pytest.param(b"x" * 1000, "gzip", {UNAVAILABLE}, id="not at all"),
    ],
)
def test_what_is_compressed_fills_no_memory(chat, provider, headers, status, body, encoding, expected):
    chat.answer("What LiteLLM takes at first is not counted.")
    provider.then(Fail(status, body, {"Content-Encoding": encoding}))
    tracemalloc.start()
    try:
        assert error_of(chat.say("Write!", headers=headers)) in expected
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert provider.requests[-1]["headers"]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("encoding", ["gzip", "identity", "x-gzip, identity"])
def test_a_server_may_compress_all_the_same(learner, make_scope, provider, encoding):
    make_scope(base_filepath=CHAT, slug="chat")
    message = {"role": "assistant", "content": "word " * 150}
    body = json.dumps({"id": "c", "model": "m", "choices": [{"index": 0, "message": message}]}).encode()
    provider.then(Fail(200, gzip.compress(body) if "gzip" in encoding else body, {"Content-Encoding": encoding}))
    assert Chat(learner).answer("Write!").startswith("word word")


@pytest.mark.parametrize("headers", MODES)
@pytest.mark.parametrize("status", [302, 307, 308])
def test_the_request_is_not_sent_elsewhere(chat, provider, caplog, headers, status):
    with FakeProvider() as other:
        provider.then(Fail(status, b"", {"Location": f"{other.base_url}/chat/completions"}))
        assert error_of(chat.say("A secret.", headers=headers)) == (500, "llm_config_error")
        assert not other.requests
        assert not other.lookups
    assert "reason=redirected_elsewhere" in caplog.text


def test_it_may_be_sent_to_another_path(learner, make_scope, provider):
    make_scope(base_filepath=CHAT, slug="chat")
    provider.then(Fail(307, b"", {"Location": "/v1/new/chat/completions"}))
    assert Chat(learner).answer("Hello") == "Hello from the model."
    assert [request["path"] for request in provider.requests] == ["/v1/chat/completions", "/v1/new/chat/completions"]


@pytest.mark.parametrize("headers", MODES)
@pytest.mark.parametrize(
    "calls",
    [
        pytest.param([ToolCall("no_tool")] * 200, id="more than can be meant"),
        pytest.param([ToolCall("no_tool", {"text": "x" * 3000})], id="one with long arguments"),
        pytest.param([ToolCall("no_tool", id="x" * 3000)], id="one with a long id"),
        pytest.param([ToolCall("no_tool" * 20)] * 100, id="many with long names"),
    ],
)
def test_calls_without_an_end_are_not_kept(chat, provider, headers, calls):
    provider.then(CallTools(*calls))
    assert error_of(chat.say("Write!", headers=headers)) == (500, "answer_too_long")
    assert len(provider.requests) == 1
    provider.reply("Here I am.")
    assert chat.answer("And now?") == "Here I am."
    assert len(json.dumps(provider.requests[-1])) < 20_000


@pytest.mark.parametrize("headers", MODES)
@pytest.mark.parametrize(
    ("content", "line"), [("", "llm.answer.repeated model=- "), ("Hi", "llm.finish_reason.unknown model=- word=odd")]
)
def test_names_are_no_lines_of_the_log(learner, make_scope, provider, caplog, headers, content, line):
    make_scope(base_filepath=CHAT, slug="chat")
    name = "evil\nCRITICAL forged"
    choice = {"index": 0, "finish_reason": "odd", "message": {"role": "assistant", "content": content}}
    piece = {"id": "c", "model": name, "choices": [{**choice, "delta": choice["message"]}]}
    event = b"data: " + json.dumps({**piece, "object": "chat.completion.chunk"}).encode() + b"\n\n"
    provider.always(Wire([event, b"data: [DONE]\n\n"], whole={**piece, "object": "chat.completion"}))
    response = Chat(learner).say("Write!", headers=headers)
    if response.streaming:
        text_of(response)
    assert line in caplog.text
    assert "CRITICAL" not in caplog.text


@contextmanager
def hinting_server() -> Iterator[tuple[str, list[str]]]:
    """An address where no answer ever comes, only hints of one; and what became of its connections."""
    ended: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                super().handle()
            ended.append("closed")

        def do_POST(self) -> None:
            for _time in range(int(PATIENCE * 20)):
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
                time.sleep(0.1)
            ended.append("held")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's own name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1", ended
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("headers", MODES)
def test_hints_hold_no_connection(learner, make_scope, settings, headers):
    make_scope(base_filepath=CHAT, slug="chat")
    with hinting_server() as (url, ended):
        entry = {"MODEL": "openai/gpt-fake", "API_KEY": "key", "API_BASE": url, "TIMEOUT": 1, "FIRST_BYTE_TIMEOUT": 1}
        settings.AI_EXTENSIONS = {"default": entry}
        assert error_of(Chat(learner).say("Write!", headers=headers)) == UNAVAILABLE
        eventually(lambda: ended)
        assert set(ended) == {"closed"}
        eventually(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("llm-")])
