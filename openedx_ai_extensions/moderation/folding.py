"""Normalises letters for comparison: without case, accents and invisible characters."""

from __future__ import annotations

import enum
import unicodedata
from functools import lru_cache

import regex

# Letters that Unicode does not decompose, although people often write them without the stroke.
_STROKES = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_WITHOUT_SPACES = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


class LetterKind(enum.Enum):
    LETTER = enum.auto()
    ALONE = enum.auto()  # of a script without spaces between words: each character counts as a word
    APART = enum.auto()  # a separator of words


@lru_cache(maxsize=8192)
def folded(character: str) -> tuple[tuple[str, LetterKind], ...]:
    """The normalised letters and separators of a character; none for an invisible one."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold()).translate(_STROKES)
    return tuple((letter, _kind(letter)) for letter in plain if not _is_ignored(letter))


def _is_ignored(letter: str) -> bool:
    """Is it an accent or invisible? Other marks form a different letter, in India, Southeast Asia and Japan."""
    position = unicodedata.combining(letter)
    return position >= 200 or 10 <= position <= 35 or _INVISIBLE.match(letter) is not None


def _kind(letter: str) -> LetterKind:
    if _WITHOUT_SPACES.match(letter):
        return LetterKind.ALONE
    return LetterKind.LETTER if unicodedata.category(letter)[0] in "LMN" else LetterKind.APART


def words(text: str) -> list[str]:
    """The normalised words of a text."""
    found: list[str] = []
    is_open = False
    for character in text:
        for letter, kind in folded(character):
            if kind is LetterKind.LETTER and is_open:
                found[-1] += letter
            elif kind is not LetterKind.APART:
                found.append(letter)
            is_open = kind is LetterKind.LETTER
    return found
