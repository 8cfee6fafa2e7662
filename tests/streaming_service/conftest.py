from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn

from openedx_ai_extensions.streaming_service import StreamingService
from tests.api.conftest import Api
from tests.waiting import PATIENCE, eventually

HOST = "127.0.0.1"
CSRF_TOKEN = "c" * 32


class Answer:
    """An answer under way, over a socket of its own.

    Args:
        keeps: bytes that the socket keeps of what is not read; None for what is usual.
    """

    def __init__(self, port: int, request: bytes, keeps: int | None = None) -> None:
        self.connection = socket.socket()
        self.connection.settimeout(PATIENCE)
        if keeps is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, keeps)
        self.connection.connect((HOST, port))
        self.connection.sendall(request)
        self.received = b""

    def until(self, mark: bytes) -> bytes:
        while mark not in self.received:
            self.received += self.piece() or pytest.fail(f"It ended without {mark!r}: {self.received!r}")
        return self.received

    def piece(self) -> bytes:
        return self.connection.recv(65_536)

    def to_the_end(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body without its framing."""
        while piece := self.piece():
            self.received += piece
        self.connection.close()
        head, _, body = self.received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(status.split()[1]), headers, _unframed(body) if "transfer-encoding" in headers else body


def _unframed(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return whole
        whole, body = whole + rest[:length], rest[length + 2 :]
    pytest.fail("The body was cut off.")


class Service:
    """The streaming service behind a real ASGI server."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self,
        user: Any = None,
        user_input: Any = "Why?",
        *,
        action: str = "run",
        body: bytes | None = None,
        path: str = "",
        method: str = "POST",
        headers: dict[str, str | None] | None = None,
        keeps: int | None = None,
    ) -> Answer:
        """Send a browser's request; ``headers`` change its own, None leaves one out."""
        target = urlsplit(Api.url("aiext_workflows"))
        content = json.dumps({"action": action, "user_input": user_input}).encode() if body is None else body
        sent = {"Host": f"{HOST}:{self.port}", "Connection": "close", "Content-Length": str(len(content)),
                "X-CSRFToken": CSRF_TOKEN, "Cookie": f"csrftoken={CSRF_TOKEN}", **(headers or {})}  # fmt: skip
        if user is not None:
            sent["Cookie"] += f"; sessionid={Api(user).client.cookies['sessionid'].value}"
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value is not None)
        line = f"{method} {path or target.path}?{target.query} HTTP/1.1\r\n"
        return Answer(self.port, f"{line}{head}\r\n".encode() + content, keeps)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving() as port:
        yield Service(port)


class serving:  # noqa: N801  # reads as a sentence
    """A service of its own, stopped at the end; gives the port."""

    def __init__(self) -> None:
        config = uvicorn.Config(StreamingService(), host=HOST, port=0, log_level="error", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._listener = socket.create_server((HOST, 0))
        run = lambda: self._server.run([self._listener])  # noqa: E731
        self._thread = threading.Thread(target=run, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        eventually(lambda: self._server.started)
        return self._listener.getsockname()[1]

    def __exit__(self, *_exc: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=PATIENCE)
        assert not self._thread.is_alive()
