"""A request of ASGI in the words of WSGI (PEP 3333)."""

from __future__ import annotations

import io
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = Mapping[str, Any]

NOT_PREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class ClientGone(Exception):
    """The client went away before its request was complete."""


async def read_body(receive: Receive, limit: int, on_piece: Callable[[int], None]) -> bytes:
    """The body; of one that is longer than the limit, so much that one can tell.

    Args:
        receive: of the request.
        limit: in bytes.
        on_piece: told of the size so far; what it raises ends the reading.

    Raises:
        ClientGone: there will be no more of it.
    """
    pieces, size, is_more = [], 0, True
    while is_more and size <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        pieces.append(piece)
        size += len(piece)
        on_piece(size)
        is_more = message.get("more_body", False)
    return b"".join(pieces)


def declared_length(scope: Scope) -> int:
    """What the client says of the body's length; 0 when it says nothing."""
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() and len(value) < 20 else 0


def environ_of(scope: Scope, body: bytes, length: int) -> dict[str, Any]:
    """The request as WSGI's environment.

    Args:
        scope: of an HTTP request.
        body: of it.
        length: how long the body is, or was to be.
    """
    root = scope.get("root_path", "")
    path = scope["path"].removeprefix(root)
    server = scope.get("server") or ("localhost", None)
    client = scope.get("client") or ("", 0)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _latin(root),
        "PATH_INFO": _latin(path),
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
            continue  # WSGI could not tell it from the same with a dash, which a proxy may vouch for
        key = NOT_PREFIXED.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        if key in environ:
            value = f"{environ[key]}{'; ' if name == 'cookie' else ','}{value}"
        environ[key] = value
    return {**environ, "CONTENT_LENGTH": str(length)}


def _latin(path: str) -> str:
    return path.encode().decode("latin-1")
