"""Parses the JSON value in a model's reply, which may be surrounded by text and contain LaTeX with single
backslashes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from openedx_ai_extensions.processors.llm.conversation.latex_escapes import read_string

MAX_STARTS = 50  # positions of a reply where JSON is searched
MAX_DEPTH = 50  # nested objects and lists
MAX_DOUBTS = 20
_FENCE = re.compile(r"```[a-z]*+[^\S\n]*+\n", re.IGNORECASE)
# An unterminated string extends to the end: searching again after each of its quotes would take quadratic time.
_STRING = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)("|\\?\Z)'
_STRINGS = re.compile(_STRING, re.DOTALL)
_TOKENS = re.compile(rf"{_STRING}|[{{}}\[\]]", re.DOTALL)
_OPENING = re.compile(r'\[|\{(?P<key>(?=\s*"))?')
# XML and some databases do not accept these characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class UnreadableReply(ValueError):
    """A reply contains no JSON. The message tells the model why."""


def parse_json(reply: str) -> tuple[Any, list[str]]:
    """Parse the JSON value in a reply: the whole reply, a fenced part, or the longest object or list in other text.

    Strings may contain line breaks and single backslashes, see ``latex_escapes.read_string``. Numbers that are not
    JSON, such as ``NaN``, are errors.

    Returns:
        The value, without unprintable characters; and descriptions for the model of what is ambiguous in its strings,
        usually none.

    Raises:
        UnreadableReply: there is no JSON value.
    """
    faults: list[str] = []
    for text in (reply, *_fenced(reply)):
        try:
            return _decode(text.strip())
        except (ValueError, RecursionError) as error:
            faults.append(_reason(error))
    found = max(_embedded(reply, faults), key=lambda part: part[0], default=None)
    if found is None:
        # The error of an embedded part is more helpful than that of the surrounding text.
        raise UnreadableReply(f"This is not JSON: {faults[-1]}")
    return found[1]


def _fenced(reply: str) -> Iterator[str]:
    """The parts of a reply inside code fences."""
    position = 0
    while opening := _FENCE.search(reply, position):
        end = reply.find("```", opening.end())
        if end < 0:
            return
        yield reply[opening.end() : end]
        position = end + 3


def _embedded(reply: str, faults: list[str]) -> Iterator[tuple[int, tuple[Any, list[str]]]]:
    """The length and the value of each object and list in other text.

    Parts of a broken object are omitted: an error message about them would not help the model.
    """
    position = 0
    for _number in range(MAX_STARTS):
        start = _OPENING.search(reply, position)
        if start is None:
            return
        end = _end(reply, start.start())
        is_object = start["key"] is not None
        if end is None and not is_object:
            position = start.end()
            continue
        try:
            found = _decode(reply[start.start() : end])
        except (ValueError, RecursionError) as error:
            if is_object:
                faults.append(_reason(error))
            if end is None:
                return
            position = end if is_object else start.end()
        else:
            position = len(reply) if end is None else end
            yield position - start.start(), found


def _end(reply: str, start: int) -> int | None:
    """The end of the object or list that starts here; None if it is not closed."""
    depth = 0
    for token in _TOKENS.finditer(reply, start):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        if depth == 0:
            return token.end()
        if depth > MAX_DEPTH:
            break
    return None


def _decode(text: str) -> tuple[Any, list[str]]:
    """Parse a text that is JSON, except for the contents of its strings.

    Raises:
        ValueError, RecursionError: it is not JSON.
    """
    doubts: list[str] = []

    def as_json(literal: re.Match[str]) -> str:
        if literal[2] != '"':
            return literal[0]
        string, told = read_string(literal[1])
        doubts.extend(told)
        return json.dumps(string)

    value = _DECODER.decode(_STRINGS.sub(as_json, text))
    return _clean(value), doubts[:MAX_DOUBTS]


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError(msg=message, doc=text, pos=position) if text:
            around = text[max(position - 30, 0) : position + 30]
            return f"{message}, here: {around}" if position < len(text) else f"{message}, at the end."
        case json.JSONDecodeError():
            return "there is nothing."
        case RecursionError():
            return "objects and lists are nested too deep."
    return str(error)


def _not_json(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON.")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_json(text)


_DECODER = json.JSONDecoder(parse_constant=_not_json, parse_float=_finite)


def _clean(value: Any) -> Any:
    """The value without unprintable characters."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub("", value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value
