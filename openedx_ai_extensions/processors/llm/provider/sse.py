"""Parses server-sent events (WHATWG HTML, section 9.2.6) from bytes, with the deviations of real providers.

Supports all three line endings, comments, several data lines, a missing space after the colon, a byte order mark, and a
last event without a blank line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_LINE_BYTES = 16 * 1024 * 1024  # far more than any event of a language model
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineTooLong(ValueError):
    """The data is not an event stream: a line is too long."""


def event_data(chunks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """The name (usually empty) and the data of each event.

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
