"""HTTP responses: what is taken of those of other servers, which is so many bytes, however well they compress; and
server-sent events (WHATWG HTML, section 9.2), those that we send and those that providers send.
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

ACCEPTED_ENCODING = "identity"  # what we ask for; some servers compress all the same
_NAME = re.compile(r"[\w.:/@+=-]{1,512}")  # LiteLLM puts more into the id of a response
_STEP = 64 * 1024  # bytes that are unpacked at a time
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
EVENT_STREAM = "text/event-stream"
MAX_LINE_BYTES = 16 * 1024 * 1024  # far more than any event of a language model
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def logged(name: str) -> str:
    """A name that another server gave, as a log line may have it: no second line, no prose and no credential."""
    return name if _NAME.fullmatch(name) and not is_credential(name) else "-"


class BadResponse(Exception):
    """A response that is not taken.

    Attributes:
        reason: a word for the log.
    """

    reason = ""


class BodyTooLong(BadResponse):
    """A server sends more than a response of the longest kind can need."""

    reason = "body_too_long"


class BodyUnreadable(BadResponse):
    """A body is compressed more than once, in a way that we did not ask for, or wrongly."""

    reason = "body_unreadable"


class Unpacking:
    """Unpacks a body, or several in a row, and stops where there is too much. Never holds more than a step of it.

    Args:
        longest: bytes of all of it, as unpacked.
        longest_line: bytes without a line feed: a reader of lines keeps as many in memory.
    """

    def __init__(self, longest: int, longest_line: int | None = None) -> None:
        self._longest = longest
        self._longest_line = longest if longest_line is None else longest_line
        self._size = self._line = 0

    def decoder(self, encoding: str) -> Decoder:
        """What unpacks one body.

        Args:
            encoding: its header ``Content-Encoding``.

        Raises:
            BodyUnreadable: this encoding was not requested.
        """
        layers = [layer for word in encoding.lower().split(",") if (layer := word.strip()) not in {"", "identity"}]
        if len(layers) > 1 or not {*layers} <= {"gzip", "x-gzip", "deflate"}:
            raise BodyUnreadable
        return Decoder(self, is_packed=bool(layers))

    def counted(self, data: bytes) -> bytes:
        """The same bytes.

        Raises:
            BodyTooLong: they are too many.
        """
        self._size += len(data)
        end = data.rfind(b"\n")
        self._line = self._line + len(data) if end < 0 else len(data) - end - 1
        if self._size > self._longest or self._line > self._longest_line:
            raise BodyTooLong
        return data


class Decoder:
    """Unpacks one body."""

    def __init__(self, unpacking: Unpacking, *, is_packed: bool) -> None:
        self._unpacking = unpacking
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB) if is_packed else None

    def unpacked(self, data: bytes) -> Iterator[bytes]:
        """The next bytes of the body as it was meant.

        Raises:
            BodyTooLong: there is too much.
            BodyUnreadable: it was not packed as the server says.
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
    """An empty chunk with news of the work: nothing for a reader of text, an event for a client that shows progress.

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
    """An event as it is sent."""
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
    """An answer that no proxy holds back."""
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(body, content_type=content_type, headers=headers)


class LineTooLong(ValueError):
    """The data is not an event stream: a line is too long."""


def event_data(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The name (usually empty) and the data of each event in a response, with the deviations of real providers.

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
