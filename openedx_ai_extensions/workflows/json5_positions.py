"""Where in a JSON5 text each value stands, so that a problem with a JSON path can be pointed at."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

import json5

_TOKEN = re.compile(
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


def positions(text: str) -> dict[str, Place]:
    """Line and column, counted from 1, of every member's name and every list's item, by JSON path.

    Args:
        text: valid JSON5, with ``\\n`` as line ends.
    """
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    found: dict[str, Place] = {}
    open_: list[_Open] = []

    def note(path: str, offset: int) -> None:
        line = bisect_right(lines, offset)
        found[path] = (line, offset - lines[line - 1] + 1)

    for token in _TOKEN.finditer(text):
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
            inner.name = str(json5.loads(value)) if kind == "string" else value
            note(inner.value_path, token.start())
        else:
            path = inner.value_path if inner is not None else "$"
            if inner is None or inner.is_list:
                note(path, token.start())
            if value in {"{", "["}:
                open_.append(_Open(path, is_list=value == "["))
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
