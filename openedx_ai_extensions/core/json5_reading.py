"""Reading JSON5 that people wrote: in one pass, within bounds, and with the place of whatever is wrong.

A text may be hostile. The time to read it grows with its length alone: published parsers of JSON5 for Python take
seconds for what a page holds. What JSON5 allows and a database, a browser or a provider does not is refused as well.
"""

from __future__ import annotations

import math
import re
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
_WORDS = {"true": True, "false": False, "null": None, "Infinity": math.inf, "NaN": math.nan}


class Unreadable(Exception):
    """What is wrong, and the offset of the character where it is."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


def read(text: str) -> Any:
    """The value of a JSON5 text.

    Raises:
        Unreadable: it is none, or too long or deep, or it holds what cannot be stored, shown or sent.
    """
    if len(text) > MAX_LENGTH:
        raise Unreadable(_("It is longer than {count} characters.").format(count=MAX_LENGTH), MAX_LENGTH)
    reader = _Reader(text)
    value = reader.value(0)
    reader.skip()
    if reader.at < len(text):
        reader.unexpected()
    offset = find_unfit(text)  # in comments too
    if offset is not None:
        raise Unreadable(character_problem(text[offset]), offset)
    return value


def is_silent(text: str) -> bool:
    """Is there nothing in a text but blanks and comments?"""
    found = _SPACE.match(text)
    return found is not None and found.end() == len(text)


class _Reader:
    """A text, and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def value(self, depth: int) -> Any:
        self.skip()
        sign = self.text[self.at : self.at + 1]
        if sign in {"{", "["} and depth >= MAX_DEPTH:
            raise Unreadable(_("It is nested too deeply."), self.at)
        if sign == "{":
            return self._object(depth)
        if sign == "[":
            return self._list(depth)
        if sign in {'"', "'"}:
            return self._string()
        return self._number() if sign and sign in "+-.0123456789" else self._constant()

    def skip(self) -> None:
        """Go past spaces and comments."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.text.startswith("/*", self.at):
            self.at = len(self.text)  # it never ends
            self.unexpected()

    def unexpected(self) -> NoReturn:
        if self.at >= len(self.text):
            raise Unreadable(_("Unexpected end of input"), len(self.text))
        raise Unreadable(_('Unexpected "{character}"').format(character=self.text[self.at]), self.at)

    def _take(self, *signs: str) -> str:
        """The sign that comes next, which must be one of these."""
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

    def _object(self, depth: int) -> dict[str, Any]:
        self.at += 1
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
            self._take(":")
            found[name] = self.value(depth + 1)
            if self._take(",", "}") == "}":
                break
        return found

    def _list(self, depth: int) -> list[Any]:
        self.at += 1
        found: list[Any] = []
        while not self._is_next("]"):
            found.append(self.value(depth + 1))
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
        """A character that an escape stands for, unless it is one that cannot be stored."""
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
        """A text whose halves of characters are joined."""
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
