"""Reading requests: how many bodies are received at once, and an ASGI request as a WSGI environment (PEP 3333)."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from functools import partial
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = Mapping[str, Any]

RECEIVE_SECONDS = 20.0  # for a whole request; a proxy forwards it at once
SMALL_BODY_BYTES = 65_536  # questions to a model are shorter; what people save may be longer
MAX_LARGE_BODIES = 32  # in memory at once, including those of requests that are being answered

UNPREFIXED_HEADERS = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class ClientGone(Exception):
    """The client disconnected before its request was complete."""


class TooManyBodies(Exception):
    """Too many requests send their bodies slowly, or have large bodies."""


class Bodies:
    """The bodies of requests: those being received, the slowest first, and the large ones in memory.

    A body is identified by any object of its request. The slowest one is dropped when there are too many.
    """

    def __init__(self) -> None:
        self._receiving: dict[object, asyncio.Future[bytes]] = {}
        self._large: set[object] = set()

    async def read(self, key: object, receive: Receive, max_bytes: int, max_bodies: int) -> bytes:
        """Read a body. One that is too long is read only until its length exceeds the limit.

        Args:
            max_bodies: to receive at once.

        Raises:
            ClientGone: the client disconnected.
            TimeoutError: the body took too long to arrive.
            TooManyBodies: the body was dropped for another one.
        """
        reading = self._receiving[key] = asyncio.ensure_future(_read(receive, max_bytes, partial(self._grow, key)))
        try:
            if len(self._receiving) > max_bodies:
                self._drop_slowest(self._receiving)
            done, _waiting = await asyncio.wait([reading], timeout=RECEIVE_SECONDS)
            if not done:
                raise TimeoutError
            if reading.cancelled():
                raise TooManyBodies
            return reading.result()
        finally:
            reading.cancel()
            self._receiving.pop(key, None)

    def _grow(self, key: object, size: int) -> None:
        """Raises TooManyBodies if the body has become large, and there are too many large bodies."""
        if size > SMALL_BODY_BYTES and key not in self._large:
            if len(self._large) >= MAX_LARGE_BODIES and not self._drop_slowest(self._large):
                raise TooManyBodies
            self._large.add(key)

    def _drop_slowest(self, keys: Collection[object]) -> bool:
        """Stop reading the body that has taken the longest of these; returns whether there was one."""
        for key, reading in self._receiving.items():
            if not reading.done() and key in keys:
                del self._receiving[key]
                self.release(key)
                reading.cancel()
                return True
        return False

    def release(self, key: object) -> None:
        """The body is no longer in memory."""
        self._large.discard(key)


async def _read(receive: Receive, max_bytes: int, on_growth: Callable[[int], None]) -> bytes:
    """Read a body; ``on_growth`` gets the size so far, and may raise to stop."""
    pieces, size, is_more = [], 0, True
    while is_more and size <= max_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        pieces.append(piece)
        size += len(piece)
        on_growth(size)
        is_more = message.get("more_body", False)
    return b"".join(pieces)


def declared_length(scope: Scope) -> int:
    """The Content-Length that the client sent; 0 without a valid one."""
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() and len(value) < 20 else 0


def environ_of(scope: Scope, body: bytes, length: int) -> dict[str, Any]:
    """An HTTP request as a WSGI environment.

    Args:
        length: of the body, or declared by the client when the body was not read.
    """
    root = scope.get("root_path", "")
    server = scope.get("server") or ("localhost", None)
    client = scope.get("client") or ("", 0)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _latin(root),
        "PATH_INFO": _latin(scope["path"].removeprefix(root)),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 80),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if "_" in name:
            continue  # WSGI could not tell it from the same name with a dash, which a proxy may set
        key = UNPREFIXED_HEADERS.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        if key in environ:
            value = f"{environ[key]}{'; ' if name == 'cookie' else ','}{value}"
        environ[key] = value
    return {**environ, "CONTENT_LENGTH": str(length)}


def _latin(path: str) -> str:
    return path.encode().decode("latin-1")
