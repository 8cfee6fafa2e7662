"""HTTP responses: bodies of other servers are decompressed within size limits; server-sent events (WHATWG HTML, section
9.2) are written for clients, and read from providers.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.request import MediaType

from openedx_ai_extensions.core.credential_forms import is_credential

ACCEPTED_ENCODING = "identity"  # what we request; some servers compress anyway
_NAME = re.compile(r"[\w.:/@+=-]{1,512}")  # LiteLLM encodes more in the id of a response
_STEP = 64 * 1024  # bytes that are decompressed at a time
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
EVENT_STREAM = "text/event-stream"
MAX_LINE_BYTES = 16 * 1024 * 1024  # far more than any event of a model needs
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def logged(name: str) -> str:
    """A name from another server, safe for a log line: no line breaks, no prose and no credentials."""
    return name if _NAME.fullmatch(name) and not is_credential(name) else "-"


class BadResponse(Exception):
    """A response that is rejected.

    Attributes:
        reason: a word for the log.
    """

    reason = ""


class BodyTooLong(BadResponse):
    """A body is longer than the longest valid response."""

    reason = "body_too_long"


class BodyUnreadable(BadResponse):
    """A body is compressed twice, in a format that we did not request, or incorrectly."""

    reason = "body_unreadable"


class Unpacking:
    """Decompresses one body, or several in a row, up to a limit, in small steps.

    Args:
        longest: maximum total size in bytes, decompressed.
        longest_line: maximum bytes without a line feed, because a line reader keeps them in memory.
    """

    def __init__(self, longest: int, longest_line: int | None = None) -> None:
        self._longest = longest
        self._longest_line = longest if longest_line is None else longest_line
        self._size = self._line = 0

    def decoder(self, encoding: str) -> Decoder:
        """A decoder for one body.

        Args:
            encoding: its ``Content-Encoding`` header.

        Raises:
            BodyUnreadable: this encoding was not requested.
        """
        layers = [layer for word in encoding.lower().split(",") if (layer := word.strip()) not in {"", "identity"}]
        if len(layers) > 1 or not {*layers} <= {"gzip", "x-gzip", "deflate"}:
            raise BodyUnreadable
        return Decoder(self, is_packed=bool(layers))

    def counted(self, data: bytes) -> bytes:
        """Count these bytes, and return them.

        Raises:
            BodyTooLong: the limit is exceeded.
        """
        self._size += len(data)
        end = data.rfind(b"\n")
        self._line = self._line + len(data) if end < 0 else len(data) - end - 1
        if self._size > self._longest or self._line > self._longest_line:
            raise BodyTooLong
        return data


class Decoder:
    """Decompresses one body."""

    def __init__(self, unpacking: Unpacking, *, is_packed: bool) -> None:
        self._unpacking = unpacking
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB) if is_packed else None

    def unpacked(self, data: bytes) -> Iterator[bytes]:
        """The next bytes of the body, decompressed.

        Raises:
            BodyTooLong: the limit is exceeded.
            BodyUnreadable: it is not compressed as its header says.
        """
        if self._inflate is None:
            yield self._unpacking.counted(data)
            return
        while not self._inflate.eof:
            try:
                piece = self._inflate.decompress(data, _STEP)
            except zlib.error:
                raise BodyUnreadable from None
            if piece:
                yield self._unpacking.counted(piece)
            data = self._inflate.unconsumed_tail
            if not data and len(piece) < _STEP:
                return


class StreamEvent(bytes):
    """An empty chunk that carries an event: ignored in plain text, sent as an event to clients that show progress.

    Attributes:
        name: the event, such as ``tool`` or ``status``.
        data: JSON-serialisable.
    """

    name: str
    data: Mapping[str, Any]

    def __new__(cls, name: str, data: Mapping[str, Any]) -> StreamEvent:
        event = super().__new__(cls)
        event.name = name
        event.data = data
        return event


def event(name: str, data: Mapping[str, Any]) -> bytes:
    """A server-sent event as bytes."""
    return f"event: {name}\ndata: {json.dumps(dict(data), ensure_ascii=False)}\n\n".encode()


def rendered(chunk: bytes) -> bytes:
    """A chunk of a stream as an event."""
    if isinstance(chunk, StreamEvent):
        return event(chunk.name, chunk.data)
    # A comment keeps proxies awake while the model is silent.
    return event("delta", {"text": chunk.decode()}) if chunk else b": alive\n\n"


def wants_events(request: HttpRequest) -> bool:
    """Does the client ask for server-sent events?"""
    return EVENT_STREAM in accepted_types(request)


def accepted_types(request: HttpRequest) -> list[str]:
    """Media types of the Accept header, without those of quality 0, which are refused (RFC 9110, section 12.4.2)."""
    ranges = map(MediaType, request.headers.get("Accept", "*/*").lower().split(","))
    return [f"{each.main_type}/{each.sub_type}" for each in ranges if not _is_refused(each.params.get("q", "1"))]


def _is_refused(quality: str | bytes) -> bool:
    text = quality.decode("ascii", "replace") if isinstance(quality, bytes) else quality
    return text.rstrip("0") in {"", "0."}


def streaming_response(body: Iterable[bytes], content_type: str = EVENT_STREAM) -> StreamingHttpResponse:
    """A streaming response that proxies do not buffer."""
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(body, content_type=content_type, headers=headers)


class LineTooLong(ValueError):
    """The data is not an event stream: a line is too long."""


def event_data(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The name (usually empty) and the data of each event in a response. Accepts the deviations of real providers.

    Supports all three line endings, comments, several data lines, a missing space after the colon, a byte order mark,
    and a last event without a blank line.

    Args:
        chunks: the body, split at any position.

    Raises:
        LineTooLong: a line is longer than ``MAX_LINE_BYTES``.
    """
    name = ""
    data: list[bytes] = []
    for line in _lines(chunks):
        if not line:
            if data:
                yield name, b"\n".join(data)
            name, data = "", []
        elif line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
        elif line.startswith(b"error:"):  # a field that only llama.cpp uses
            yield "error", line[6:].strip()
    if data:
        yield name, b"\n".join(data)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    unfinished: list[bytes] = []  # parts of a line
    size = 0
    is_start = True
    ends_in_return = False  # a following line feed belongs to the same line ending
    for chunk in chunks:
        if ends_in_return and chunk:
            chunk = chunk.removeprefix(b"\n")  # noqa: PLW2901
            ends_in_return = False
        unfinished.append(chunk)
        size += len(chunk)
        if size > MAX_LINE_BYTES:
            raise LineTooLong
        if b"\n" not in chunk and b"\r" not in chunk:
            continue
        text = b"".join(unfinished)
        if is_start:
            text = text.removeprefix(BYTE_ORDER_MARK)
            is_start = False
        ends_in_return = text.endswith(b"\r")
        lines = text.splitlines(keepends=True)
        rest = b"" if not lines or lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        unfinished, size = [rest], len(rest)
        for line in lines:
            yield line.rstrip(b"\r\n")
    rest = b"".join(unfinished)
    if rest:
        yield rest.removeprefix(BYTE_ORDER_MARK) if is_start else rest
