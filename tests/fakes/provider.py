"""An LLM provider on loopback that speaks the wire formats of OpenAI (chat and Responses) and Anthropic, and breaks.

``python -m tests.fakes.provider`` serves it in a process of its own and prints its URL.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.fakes import anthropic_messages, openai_chat, openai_responses
from tests.fakes.openai_refusals import refused
from tests.fakes.steps import (
    DEFAULT_USAGE,
    Break,
    CallTools,
    Ending,
    Fail,
    Say,
    Script,
    Step,
    ToolCall,
    Turn,
    Wire,
    chunks_of,
)
from tests.fakes.wire import Api, Event, Memory, Refused

__all__ = [
    "DEFAULT_USAGE",
    "Break",
    "CallTools",
    "Ending",
    "Fail",
    "FakeProvider",
    "Say",
    "Script",
    "Step",
    "ToolCall",
    "Wire",
]

APIS: tuple[tuple[str, Api], ...] = (
    (r".*/chat/completions", openai_chat),
    (r"/(v1|openai|openai/v1)/responses", openai_responses),
    (r"(/anthropic)?/v1/messages", anthropic_messages),
)
STORED_RESPONSE = re.compile(r"/(?:v1|openai|openai/v1)/responses/([^/]+)(/input_items)?")


class FakeProvider:
    """A threaded HTTP server, started on entry and stopped on exit.

    Attributes:
        base_url: what goes into ``API_BASE`` for OpenAI and its like; ends with ``/v1``.
        anthropic_url: what goes there for Anthropic, and for Azure; has no path.
        requests: each POST's parsed JSON body, with its headers under ``"headers"`` and its path under ``"path"``.
        lookups: each GET's and DELETE's ``method``, ``path`` and ``headers``.
        disconnects: how many clients went away while a stream was being written.
        connections: how many TCP connections were accepted.
        billed: the token counts of each answer that went out whole.
        left_open_seconds: how long a connection that a ``Wire`` leaves open stays so.
    """

    left_open_seconds = 30.0

    def __init__(self, port: int = 0) -> None:
        self.requests: list[dict[str, Any]] = []
        self.lookups: list[dict[str, Any]] = []
        self.disconnects = 0
        self.connections = 0
        self.billed: list[dict[str, int]] = []
        self.memory = Memory()
        self._failures: list[tuple[int, Any, dict[str, str]]] = []
        self._steps: deque[Step] = deque()
        self._always: Step | None = None
        self._script = Script()
        self._lock = threading.Lock()
        self._go_on = threading.Event()
        provider = self

        class Handler(_Handler):
            fake = provider

        self._server = _Server(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.anthropic_url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.base_url = f"{self.anthropic_url}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        """Forget what was asked and what was to be answered, for a provider that outlives one test."""
        with self._lock:
            self.requests.clear()
            self.lookups.clear()
            self.disconnects = 0
            self.billed.clear()
            self.memory = Memory()
            self._failures.clear()
            self._steps.clear()
            self._always = None
            self._script = Script()
            self._go_on.clear()

    def reply(self, text: str | Sequence[str], *, usage: Mapping[str, int] | None = DEFAULT_USAGE, delay: float = 0.0,
              split_bytes: bool = False) -> None:  # fmt: skip
        """Answer with this text, or these chunks with ``delay`` seconds between, from now on."""
        self._script = Script(chunks=chunks_of(text), usage=usage, delay=delay, split_bytes=split_bytes)

    def then(self, *steps: Step) -> None:
        """Answer the next requests with these steps, one each, before what ``always`` and ``reply`` say."""
        with self._lock:
            self._steps.extend(steps)

    def always(self, step: Step) -> None:
        """Answer every request with this step, until ``reset``."""
        with self._lock:
            self._always = step

    def forget_threads(self) -> None:
        """Drop all stored responses, as a provider does in time."""
        self.memory.responses.clear()

    def fail(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None, times: int = 1000) -> None:
        """Answer the next ``times`` requests with an error, in the API's own shape unless ``body`` says otherwise."""
        with self._lock:
            self._failures += [(status, body, dict(headers or {}))] * times

    def cut_after(self, chunks: int) -> None:
        """Break streams after this many chunks, without an end."""
        self._script.cut_after = chunks

    def garbage(self) -> None:
        """Answer 200 with what no client understands."""
        self._script.garbage = True

    def hang(self, seconds: float, *, after: int = 0) -> None:
        """Accept requests and stay silent for this long, or until told to go on; not to the next ``after`` of them."""
        self._script.hang = seconds
        self._script.hang_after = len(self.requests) + after

    def go_on(self) -> None:
        """Wait no more, before anything."""
        self._go_on.set()

    def take_failure(self) -> tuple[int, Any, dict[str, str]] | None:
        with self._lock:
            return self._failures.pop(0) if self._failures else None

    def take_step(self) -> Step | None:
        with self._lock:
            return self._steps.popleft() if self._steps else self._always

    def count(self, what: str) -> None:
        with self._lock:
            setattr(self, what, getattr(self, what) + 1)

    @property
    def script(self) -> Script:
        return self._script

    def wait(self, seconds: float) -> None:
        self._go_on.wait(seconds)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # that many may knock at once


class _Handler(BaseHTTPRequestHandler):
    fake: FakeProvider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.fake.count("connections")
        super().setup()

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        self.fake.requests.append({**body, "headers": dict(self.headers), "path": self.path})
        path = urlsplit(self.path).path
        api = next((api for pattern, api in APIS if re.fullmatch(pattern, path)), None)
        self._serve(api or openai_chat, lambda script: self._answer(api, body, script))

    def do_GET(self) -> None:
        self.fake.lookups.append({"method": self.command, "headers": dict(self.headers), "path": self.path})
        self._serve(openai_responses, lambda _script: self._send(200, self._look_up()))

    def do_DELETE(self) -> None:
        self.do_GET()

    def _serve(self, api: Api, answer: Callable[[Script], None]) -> None:
        """Fail as told to, else answer."""
        script = self.fake.script
        failure = self.fake.take_failure()
        if script.hang and len(self.fake.requests) > script.hang_after:
            self.fake.wait(script.hang)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if failure is not None:
                self._fail(api, Fail(*failure))
            elif script.garbage:
                self._send(200, b"<html>not an answer</html>", {"Content-Type": "text/html"})
            else:
                try:
                    answer(script)
                except Refused as refusal:
                    self._send(refusal.status, refusal.body)

    def _answer(self, api: Api | None, body: dict[str, Any], script: Script) -> None:
        step = self.fake.take_step()
        if isinstance(step, Wire):
            self._send_wire(step, streams=bool(body.get("stream")) or ":stream" in self.path)
            return
        if api is None:
            raise refused(f"Invalid URL (POST {self.path})", status=404)
        api.check(body, self.fake.memory)
        if isinstance(step, Fail):
            self._fail(api, step)
            return
        turn = Turn.of(step, script)
        whole = api.whole(turn, body, self.fake.memory)

        def given() -> None:
            api.remember(whole, body, self.fake.memory)
            self.fake.billed.append(dict(turn.usage or {}))

        if body.get("stream"):
            events = list(api.events(turn, whole, body))
            self._stream(events, script, turn.cut_after, given)
        elif isinstance(step, Break):
            self._send(200, whole, is_cut=True)
        else:
            given()
            self._send(200, whole)

    def _send_wire(self, wire: Wire, *, streams: bool) -> None:
        if not streams:
            self._send(200, wire.whole)
            return
        self.send_response(200)
        self.send_header("Content-Type", wire.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in wire.stream:
                if piece:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                if wire.pause:
                    self.fake.wait(wire.pause)
            if wire.ending is Ending.PROPER:
                self.wfile.write(b"0\r\n\r\n")
            elif wire.ending is Ending.CUT:
                self._cut()
            else:
                self.close_connection = True
                self.fake.wait(self.fake.left_open_seconds)
        except (BrokenPipeError, ConnectionResetError):
            self.fake.count("disconnects")
            self.close_connection = True

    def _look_up(self) -> Any:
        url = urlsplit(self.path)
        found = STORED_RESPONSE.fullmatch(url.path)
        if found is None or (self.command == "DELETE" and found[2]):
            raise refused(f"Invalid URL ({self.command} {self.path})", status=404)
        if self.command == "DELETE":
            return openai_responses.delete(found[1], self.fake.memory)
        if found[2]:
            return openai_responses.input_items(found[1], dict(parse_qsl(url.query)), self.fake.memory)
        return openai_responses.read(found[1], self.fake.memory)

    def _fail(self, api: Api, failure: Fail) -> None:
        body = api.error(failure.status, f"failure {failure.status}") if failure.body is None else failure.body
        self._send(failure.status, body, failure.headers)

    def _send(self, status: int, body: Any, headers: Mapping[str, str] | None = None, *, is_cut: bool = False) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload[: len(payload) // 2] if is_cut else payload)
        if is_cut:
            self._cut()

    def _stream(
        self, events: Sequence[Event], script: Script, cut_after: int | None, remember: Callable[[], None]
    ) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if script.unfinished:
            events = events[: max((place + 1 for place, event in enumerate(events) if event.is_chunk), default=0)]
        chunks = 0
        try:
            for event in events:
                if cut_after is not None and chunks >= cut_after:
                    self._cut()
                    return
                if event.is_last:
                    remember()
                self._write(event.encode(), script)
                if event.is_chunk:
                    chunks += 1
                    if script.delay:
                        self.fake.wait(script.delay)
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.fake.count("disconnects")
            self.close_connection = True

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _write(self, event: bytes, script: Script) -> None:
        pieces = [event[i : i + 1] for i in range(len(event))] if script.split_bytes else [event]
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chunks", type=int, default=4, help="how many chunks an answer has")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds between two chunks")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds until an answer begins")
    arguments = parser.parse_args()
    with FakeProvider(arguments.port) as provider:
        provider.reply([f"word{number} " for number in range(arguments.chunks)], delay=arguments.delay)
        provider.hang(arguments.wait)
        print(provider.base_url, flush=True)  # noqa: T201  # the one line that the parent process reads
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
