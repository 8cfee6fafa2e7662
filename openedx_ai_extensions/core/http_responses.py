"""What is taken of the HTTP responses of other servers: so many bytes, however well they compress."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from openedx_ai_extensions.core.credential_forms import is_credential

ACCEPTED_ENCODING = "identity"  # what we ask for; some servers compress all the same
_NAME = re.compile(r"[\w.:/@+=-]{1,512}")  # LiteLLM puts more into the id of a response
_STEP = 64 * 1024  # bytes that are unpacked at a time
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


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
