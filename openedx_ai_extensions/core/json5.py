"""Reads JSON5 that people wrote: in one pass, within limits, and with the positions of values and errors.

The text is untrusted, and the time to read it grows linearly with its length; published JSON5 parsers for Python take
seconds for a page of text. What JSON5 allows, but a database, a browser or a provider does not, is refused as well.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from openedx_ai_extensions.core.portable import character_problem, find_unfit, number_problem

MAX_LENGTH = 100_000  # characters; the largest template of ours has six thousand
MAX_DEPTH = 32  # deeper than any template
MAX_NAME = 200  # characters
MAX_DIGITS = 19  # more have no use, and Python refuses to read thousands of them

_SPACE = re.compile(
    r"(?:[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
    r"|//[^\n\r\u2028\u2029]*|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)*"
)
_PLAIN = {quote: re.compile(rf"[^{quote}\\\n\r]*") for quote in "\"'"}
_NUMBER = re.compile(
    r"[+-]?(?:Infinity|NaN|0[xX][0-9a-fA-F]+|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
_WORD = re.compile(r"(?:[^\W\d]|[$]|\\u[0-9a-fA-F]{4})(?:[\w$\u200c\u200d]|\\u[0-9a-fA-F]{4})*")
_HEX = {"x": re.compile("[0-9a-fA-F]{2}"), "u": re.compile("[0-9a-fA-F]{4}")}
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LAST_STEP = re.compile(r"(?:\.[^.\[\]]+|\[\d+\]|\['(?:\\.|[^'\\])*'\])$", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None, "Infinity": math.inf, "NaN": math.nan}


Place = tuple[int, int]  # line and column, counted from 1


class Unreadable(Exception):
    """The text is not valid: the reason, and the offset of the character at fault."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Json5Part:
    """A member's name, a scalar, or the start of an object or a list.

    Attributes:
        path: the JSON path of the value; of a name, of the value that it names.
        offset: where it begins, in characters.
        source: as it is written; of an object or a list, its opening bracket.
        is_name: it is a member's name.
    """

    path: str
    offset: int
    source: str
    is_name: bool = False


def read(text: str) -> Any:
    """The value of a JSON5 text.

    Raises:
        Unreadable: it is not valid, too long or too deep, or contains what cannot be stored, shown or sent.
    """
    return _read(_Reader(text))


def parts(text: str) -> Sequence[Json5Part]:
    """The parts of a valid or silent text, in order."""
    return _recorded(text).parts


def comments(text: str) -> Sequence[str]:
    """The comments of a valid or silent text."""
    return _recorded(text).comments


def _recorded(text: str) -> _Reader:
    reader = _Reader(text, records=True)
    if is_silent(text):
        reader.skip()
    else:
        _read(reader)
    return reader


def _read(reader: _Reader) -> Any:
    text = reader.text
    if len(text) > MAX_LENGTH:
        raise Unreadable(_("It is longer than {count} characters.").format(count=MAX_LENGTH), MAX_LENGTH)
    value = reader.value(0, "$")
    reader.skip()
    if reader.at < len(text):
        reader.unexpected()
    offset = find_unfit(text)  # in comments too
    if offset is not None:
        raise Unreadable(character_problem(text[offset]), offset)
    return value


def is_silent(text: str) -> bool:
    """Does a text consist of white space and comments only?"""
    found = _SPACE.match(text)
    return found is not None and found.end() == len(text)


def json_path(parent: str, name: str | int) -> str:
    """The JSON path of a member, as schema errors spell it."""
    if isinstance(name, int):
        return f"{parent}[{name}]"
    if _PLAIN_NAME.fullmatch(name):
        return f"{parent}.{name}"
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"{parent}['{escaped}']"


def place_of(text: str, offset: int) -> Place:
    """Line and column of a character, counted from 1.

    Args:
        text: with ``\\n`` as line ends.
    """
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def positions(text: str) -> dict[str, Place]:
    """Line and column of every member's name and every list's item, by JSON path.

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


class _Reader:
    """A text, and how far it has been read.

    Args:
        text: the text.
        records: also fill ``parts`` and ``comments``.
    """

    def __init__(self, text: str, *, records: bool = False) -> None:
        self.text = text
        self.at = 0
        self.parts: list[Json5Part] = []
        self.comments: list[str] = []
        self._records = records

    def value(self, depth: int, path: str) -> Any:
        self.skip()
        start = self.at
        sign = self.text[start : start + 1]
        if sign in {"{", "["}:
            if depth >= MAX_DEPTH:
                raise Unreadable(_("It is nested too deeply."), start)
            self.at += 1
            self._record(path, start)
            return self._object(depth, path) if sign == "{" else self._list(depth, path)
        if sign in {'"', "'"}:
            value: Any = self._string()
        else:
            value = self._number() if sign and sign in "+-.0123456789" else self._constant()
        self._record(path, start)
        return value

    def _record(self, path: str, start: int, *, is_name: bool = False) -> None:
        if self._records:
            self.parts.append(Json5Part(path, start, self.text[start : self.at], is_name))

    def _path(self, parent: str, name: str | int) -> str:
        return json_path(parent, name) if self._records else ""

    def skip(self) -> None:
        """Skip white space and comments."""
        found = _SPACE.match(self.text, self.at)
        if found and found[0].strip() and self._records:
            self.comments.append(found[0])
        self.at = found.end() if found else self.at
        if self.text.startswith("/*", self.at):
            self.at = len(self.text)  # it never ends
            self.unexpected()

    def unexpected(self) -> NoReturn:
        if self.at >= len(self.text):
            raise Unreadable(_("Unexpected end of input"), len(self.text))
        raise Unreadable(_('Unexpected "{character}"').format(character=self.text[self.at]), self.at)

    def _take(self, *signs: str) -> str:
        """Read the next character, which must be one of these."""
        self.skip()
        sign = self.text[self.at : self.at + 1]
        if sign not in signs:
            self.unexpected()
        self.at += 1
        return sign

    def _is_next(self, sign: str) -> bool:
        self.skip()
        if self.text.startswith(sign, self.at):
            self.at += 1
            return True
        return False

    def _object(self, depth: int, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._is_next("}"):
            start = self.at
            name = self._name()
            if len(name) > MAX_NAME:
                raise Unreadable(_("This key is longer than {count} characters.").format(count=MAX_NAME), start)
            if name in found:
                raise Unreadable(_("This key appears twice."), start)
            if name == "__proto__":
                raise Unreadable(_("The key __proto__ is reserved: browsers do not treat it as data."), start)
            member = self._path(path, name)
            self._record(member, start, is_name=True)
            self._take(":")
            found[name] = self.value(depth + 1, member)
            if self._take(",", "}") == "}":
                break
        return found

    def _list(self, depth: int, path: str) -> list[Any]:
        found: list[Any] = []
        while not self._is_next("]"):
            found.append(self.value(depth + 1, self._path(path, len(found))))
            if self._take(",", "]") == "]":
                break
        return found

    def _name(self) -> str:
        if self.text[self.at : self.at + 1] in {'"', "'"}:
            return self._string()
        found = _WORD.match(self.text, self.at)
        if found is None:
            self.unexpected()
        self.at = found.end()
        return _UNICODE.sub(lambda escape: chr(int(escape[1], 16)), found[0])

    def _string(self) -> str:
        quote = self.text[self.at]
        self.at += 1
        start, pieces = self.at, []
        while True:
            found = _PLAIN[quote].match(self.text, self.at)
            pieces.append(found[0] if found else "")
            self.at = found.end() if found else self.at
            sign = self.text[self.at : self.at + 1]
            if sign == quote:
                self.at += 1
                break
            if sign != "\\":
                self.unexpected()
            pieces.append(self._escape())
        said = "".join(pieces)
        # A character beyond U+FFFF may be written as two escapes, which are halves of it.
        return said if find_unfit(said) is None else self._whole(said, start)

    def _escape(self) -> str:
        start = self.at
        sign = self.text[start + 1 : start + 2]
        self.at += 2
        if sign in _HEX:
            found = _HEX[sign].match(self.text, self.at)
            if found is None:
                self.unexpected()
            self.at = found.end()
            return self._fit(chr(int(found[0], 16)), start)
        if not sign or sign in "123456789":
            self.at = start + 1
            self.unexpected()
        if sign == "\r" and self.text.startswith("\n", self.at):
            self.at += 1
        if sign == "0" and self.text[self.at : self.at + 1].isdecimal():
            self.unexpected()
        return "" if sign in "\n\r\u2028\u2029" else self._fit(_ESCAPES.get(sign, sign), start)

    def _fit(self, character: str, start: int) -> str:
        """The character of an escape sequence, unless it cannot be stored."""
        if find_unfit(character) is not None:
            is_half = "\ud800" <= character <= "\udfff"
            if not (is_half and self._has_other_half(character, start)):
                raise Unreadable(character_problem(character), start)
        return character

    def _has_other_half(self, character: str, start: int) -> bool:
        other = self.text[start - 6 : start] if character >= "\udc00" else self.text[start + 6 : start + 12]
        found = _UNICODE.fullmatch(other)
        if found is None:
            return False
        code = int(found[1], 16)
        return 0xD800 <= code < 0xDC00 if character >= "\udc00" else 0xDC00 <= code < 0xE000

    def _whole(self, said: str, start: int) -> str:
        """Join the surrogate pairs of a text."""
        joined = said.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        if find_unfit(joined) is not None:
            offset = find_unfit(self.text[start : self.at])
            at = start + (offset or 0)
            raise Unreadable(
                character_problem(self.text[at] if offset is not None else said[find_unfit(said) or 0]), at
            )
        return joined

    def _number(self) -> int | float:
        start = self.at
        found = _NUMBER.match(self.text, start)
        if found is None:
            self.at += self.text[start] in "+-."
            self.unexpected()
        self.at = found.end()
        following = _WORD.match(self.text, self.at)
        if following is not None or self.text[self.at : self.at + 1].isdecimal():
            self.unexpected()
        value = _number_of(found[0])
        reason = number_problem(value)
        if reason:
            raise Unreadable(reason, start)
        return value

    def _constant(self) -> Any:
        found = _WORD.match(self.text, self.at)
        if found is None or found[0] not in _WORDS:
            self.unexpected()
        value = _WORDS[found[0]]
        reason = number_problem(value) if isinstance(value, float) else None
        if reason:
            raise Unreadable(reason, self.at)
        self.at = found.end()
        return value


def _number_of(word: str) -> int | float:
    digits = word.lstrip("+-")
    sign = -1 if word.startswith("-") else 1
    if digits[:2] in {"0x", "0X"}:
        return sign * int(digits, 16)
    if digits.isdecimal():
        return sign * int(digits if len(digits) <= MAX_DIGITS else "9" * (MAX_DIGITS + 1))
    return sign * (math.inf if digits == "Infinity" else math.nan if digits == "NaN" else float(digits))
