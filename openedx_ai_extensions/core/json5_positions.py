"""Where in a JSON5 text each value stands, so that a problem with a JSON path can be pointed at."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openedx_ai_extensions.core.json5_reading import read

TOKEN = re.compile(
    r"""(?P<skipped>[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*.*?\*/)
    |(?P<sign>[{}\[\]:,])
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<word>[^\s{}\[\]:,"'/]+)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LAST_STEP = re.compile(r"(?:\.[^.\[\]]+|\[\d+\]|\['(?:\\.|[^'\\])*'\])$", re.DOTALL)

Place = tuple[int, int]


@dataclass(slots=True)
class _Open:
    """An object or a list whose end has not come yet."""

    path: str
    is_list: bool
    index: int = 0
    name: str | None = None  # of the member whose value comes next

    @property
    def value_path(self) -> str:
        return json_path(self.path, self.index if self.is_list else self.name or "")


def json_path(parent: str, name: str | int) -> str:
    """The JSON path of a member, as schema errors spell it."""
    if isinstance(name, int):
        return f"{parent}[{name}]"
    if _PLAIN_NAME.fullmatch(name):
        return f"{parent}.{name}"
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"{parent}['{escaped}']"


@dataclass(frozen=True, slots=True)
class Json5Part:
    """A member's name, a text, number or word, or the beginning of an object or a list.

    Attributes:
        path: the JSON path of the value; of a name, of the value that it names.
        offset: where it begins, in characters.
        source: as it is written; of an object or a list, its first sign.
        is_name: it is a member's name.
    """

    path: str
    offset: int
    source: str
    is_name: bool = False


def parts(text: str) -> Iterator[Json5Part]:
    """What a text consists of, in order.

    Args:
        text: valid JSON5.
    """
    open_: list[_Open] = []
    for token in TOKEN.finditer(text):
        kind, value = token.lastgroup, token[0]
        inner = open_[-1] if open_ else None
        if kind == "skipped" or value == ":":
            continue
        if value in {"}", "]"}:
            open_.pop()
        elif value == "," and inner is not None:
            inner.index += 1
            inner.name = None
        elif inner is not None and not inner.is_list and inner.name is None:
            inner.name = _name(value)
            yield Json5Part(inner.value_path, token.start(), value, is_name=True)
        else:
            path = inner.value_path if inner is not None else "$"
            yield Json5Part(path, token.start(), value)
            if value in {"{", "["}:
                open_.append(_Open(path, is_list=value == "["))


def comments(text: str) -> Iterator[str]:
    """What a text says beside its values.

    Args:
        text: valid JSON5.
    """
    return (token[0] for token in TOKEN.finditer(text) if token.lastgroup == "skipped" and token[0].strip())


def _name(source: str) -> str:
    """A member's name, from how it is written."""
    is_quoted = source[0] in "\"'"
    if "\\" not in source:
        return source[1:-1] if is_quoted else source
    return str(read(source if is_quoted else f'"{source}"'))


def place_of(text: str, offset: int) -> Place:
    """Line and column of a character, counted from 1.

    Args:
        text: with ``\\n`` as line ends.
    """
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def positions(text: str) -> dict[str, Place]:
    """Line and column, counted from 1, of every member's name and every list's item, by JSON path.

    Args:
        text: valid JSON5, with ``\\n`` as line ends.
    """
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    found: dict[str, Place] = {}
    for part in parts(text):
        line = bisect_right(lines, part.offset)
        found.setdefault(part.path, (line, part.offset - lines[line - 1] + 1))
    return found


def nearest(path: str, places: Mapping[str, Place]) -> Place | None:
    """The place of a path, or of the nearest thing around it that the text has; None when it has nothing of it."""
    while path != "$":
        if path in places:
            return places[path]
        shorter = _LAST_STEP.sub("", path)
        if shorter == path:
            return None
        path = shorter
    return None
