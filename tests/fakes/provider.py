"""An LLM provider on loopback that speaks OpenAI's chat completions: plain, as server-sent events, and broken.

``python -m tests.fakes.provider`` serves it in a process of its own and prints its URL.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

DEFAULT_USAGE = {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16}


@dataclass(slots=True)
class Script:
    """How the next requests are answered."""

    chunks: Sequence[str] = ("Hello ", "from ", "the ", "model.")
    usage: Mapping[str, int] | None = field(default_factory=lambda: DEFAULT_USAGE)
    delay: float = 0.0
    cut_after: int | None = None
    hang: float = 0.0
    garbage: bool = False
    split_bytes: bool = False
    unfinished: bool = False


class FakeProvider:
    """A threaded HTTP server, started on entry and stopped on exit.

    Attributes:
        base_url: what goes into ``API_BASE``; ends with ``/v1``.
        requests: each request's parsed JSON body, with its headers under ``"headers"``.
        disconnects: how many clients went away while a stream was being written.
        connections: how many TCP connections were accepted.
    """

    def __init__(self, port: int = 0) -> None:
        self.requests: list[dict[str, Any]] = []
        self.disconnects = 0
        self.connections = 0
        self._failures: list[tuple[int, Any, dict[str, str]]] = []
        self._script = Script()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        provider = self

        class Handler(_Handler):
            fake = provider

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        """Forget what was asked and what was to be answered, for a provider that outlives one test."""
        self.requests.clear()
        self.disconnects = 0
        self._failures.clear()
        self._script = Script()

    def reply(self, text: str | Sequence[str], *, usage: Mapping[str, int] | None = DEFAULT_USAGE, delay: float = 0.0,
              split_bytes: bool = False) -> None:  # fmt: skip
        """Answer with this text, or these chunks with ``delay`` seconds between, from now on."""
        chunks = [text] if isinstance(text, str) else list(text)
        self._script = Script(chunks=chunks, usage=usage, delay=delay, split_bytes=split_bytes)

    def fail(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None, times: int = 1000) -> None:
        """Answer the next ``times`` requests with an error, in OpenAI's shape unless ``body`` says otherwise."""
        if body is None:
            body = {"error": {"message": f"failure {status}", "type": "error", "param": None, "code": None}}
        self._failures += [(status, body, dict(headers or {}))] * times

    def cut_after(self, chunks: int) -> None:
        """Break streams after this many chunks, without an end."""
        self._script.cut_after = chunks

    def garbage(self) -> None:
        """Answer 200 with what no client understands."""
        self._script.garbage = True

    def hang(self, seconds: float) -> None:
        """Accept requests and stay silent for this long."""
        self._script.hang = seconds

    def take_failure(self) -> tuple[int, Any, dict[str, str]] | None:
        with self._lock:
            return self._failures.pop(0) if self._failures else None

    @property
    def script(self) -> Script:
        return self._script

    def wait(self, seconds: float) -> None:
        self._stopping.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    fake: FakeProvider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.fake.connections += 1
        super().setup()

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length) or b"{}")
        self.fake.requests.append({**body, "headers": dict(self.headers), "path": self.path})
        script = self.fake.script
        failure = self.fake.take_failure()
        if script.hang:
            self.fake.wait(script.hang)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if failure is not None:
                self._send(failure[0], failure[1], failure[2])
            elif script.garbage:
                self._send(200, b"<html>not an answer</html>", {"Content-Type": "text/html"})
            elif body.get("stream"):
                self._stream(script, body)
            else:
                self._send(200, _completion(script, body.get("model", "")), {})

    def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _stream(self, script: Script, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with_usage = (body.get("stream_options") or {}).get("include_usage")
        try:
            for number, event in enumerate(_events(script, body.get("model", ""), with_usage=bool(with_usage))):
                if script.cut_after is not None and number >= script.cut_after:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self._write(event, script)
                if script.delay:
                    time.sleep(script.delay)
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.fake.disconnects += 1
            self.close_connection = True

    def _write(self, event: bytes, script: Script) -> None:
        pieces = [event[i : i + 1] for i in range(len(event))] if script.split_bytes else [event]
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))


def _completion(script: Script, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(script.chunks)}
    return {
        "id": "chatcmpl-fake", "object": "chat.completion", "created": 1, "model": model, "usage": script.usage,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }  # fmt: skip


def _events(script: Script, model: str, *, with_usage: bool) -> Iterator[bytes]:
    def event(choices: list[dict[str, Any]], **extra: Any) -> bytes:
        chunk = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1, "model": model}
        return f"data: {json.dumps({**chunk, 'choices': choices, **extra}, ensure_ascii=False)}\n\n".encode()

    for number, text in enumerate(script.chunks):
        delta = {"content": text, **({} if number else {"role": "assistant"})}
        yield event([{"index": 0, "delta": delta, "finish_reason": None}])
    if script.unfinished:
        return
    yield event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    if with_usage and script.usage is not None:
        yield event([], usage=dict(script.usage))
    yield b"data: [DONE]\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chunks", type=int, default=4, help="how many chunks an answer has")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds between two chunks")
    arguments = parser.parse_args()
    with FakeProvider(arguments.port) as provider:
        provider.reply([f"word{number} " for number in range(arguments.chunks)], delay=arguments.delay)
        print(provider.base_url, flush=True)  # noqa: T201  # the one line that the parent process reads
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
