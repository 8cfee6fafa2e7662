"""A model whose answers were written in advance, for where no real one is available.

It is served at an OpenAI-compatible address of this process, so that the demo calls it like any model.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from openedx_ai_extensions.demo.scripted_items import REPLACING, items
from openedx_ai_extensions.demo.scripted_texts import Reply, reply

PAUSE_SECONDS = 4.0  # before quiz questions or flashcards: time to see their progress, and to cancel
SHORT_PAUSE_SECONDS = 1.0  # before a single question
THINKING_SECONDS = 0.5  # before a text
WORD_SECONDS = 1 / 32
CHARS_PER_TOKEN = 4  # roughly, as in English texts

JSON = dict[str, Any]


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Serve on a free port of the loopback interface; yields the API base."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, name="scripted-model", daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Log nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        answer = _answer(body)
        with contextlib.suppress(ConnectionError):  # the client may have disconnected
            if body.get("stream"):
                self._stream(answer, body)
            else:
                self._send("application/json", json.dumps(_completion(answer, body)).encode())

    def _stream(self, answer: Reply, body: Mapping[str, Any]) -> None:
        self._send("text/event-stream")
        for chunk in _chunks(answer, body):
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
            if any(choice["delta"].get("content") for choice in chunk["choices"]):
                time.sleep(WORD_SECONDS)
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, content_type: str, payload: bytes | None = None) -> None:
        """The head of a response, and its body; without one, the end of the connection is the end of the body."""
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        if payload is not None:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload or b"")


def _answer(body: Mapping[str, Any]) -> Reply:
    form = (body.get("response_format") or {}).get("json_schema", {}).get("name")
    if form:
        asked = "\n\n".join(str(message.get("content")) for message in body["messages"])
        time.sleep(SHORT_PAUSE_SECONDS if REPLACING in asked else PAUSE_SECONDS)
        return Reply(items(form, asked))
    time.sleep(THINKING_SECONDS)
    return reply(body["messages"], [tool["function"]["name"] for tool in body.get("tools") or ()])


def _completion(answer: Reply, body: Mapping[str, Any]) -> JSON:
    message: JSON = {"role": "assistant", "content": answer.text or None}
    if answer.tool:
        message["tool_calls"] = [_call(answer.tool)]
    choice = {"index": 0, "message": message, "finish_reason": _reason(answer)}
    return {**_head(body), "object": "chat.completion", "choices": [choice], "usage": _usage(answer, body)}


def _chunks(answer: Reply, body: Mapping[str, Any]) -> Iterator[JSON]:
    head = {**_head(body), "object": "chat.completion.chunk"}
    deltas: list[JSON] = [{"content": word} for word in re.findall(r"\s*\S+\s*", answer.text)]
    if answer.tool:
        deltas = [{"tool_calls": [{"index": 0, **_call(answer.tool)}]}]
    role = {"role": "assistant"}
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": role | delta, "finish_reason": None}]}
        role = {}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _reason(answer)}]}
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": _usage(answer, body)}


def _head(body: Mapping[str, Any]) -> JSON:
    return {"id": "script", "created": int(time.time()), "model": body.get("model")}


def _reason(answer: Reply) -> str:
    return "tool_calls" if answer.tool else "stop"


def _call(tool: Mapping[str, Any]) -> JSON:
    function = {"name": tool["name"], "arguments": json.dumps(tool["arguments"])}
    return {"id": f"call_{time.time_ns()}", "type": "function", "function": function}


def _usage(answer: Reply, body: Mapping[str, Any]) -> JSON:
    """As many tokens as a real model would count, roughly, so that the usage report has something to show."""
    prompt = sum(len(str(message.get("content"))) for message in body["messages"]) // CHARS_PER_TOKEN
    completion = len(answer.text or json.dumps(answer.tool)) // CHARS_PER_TOKEN + 1
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
