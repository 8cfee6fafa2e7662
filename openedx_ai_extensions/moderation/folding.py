"""Normalises letters for comparison: without case, accents and invisible characters."""

from __future__ import annotations

import enum
import unicodedata
from functools import lru_cache

import regex

# Unicode decomposes neither these, although people often write them with other letters, ...
_PLAIN = str.maketrans({"ð": "d", "æ": "ae", "œ": "oe", "þ": "th"})
# ... nor letters with strokes, in brackets, white on black, of flags, or small capitals: their names say what they are.
_NAMED_LETTER = regex.compile(
    r"(?:^|[A-Z] )LATIN (?:SMALL|CAPITAL) LETTER (?:SCRIPT |DOTLESS )?([A-Z])(?: WITH .*)?$"
    r"|^LATIN LETTER SMALL CAPITAL ([A-Z])$|^REGIONAL INDICATOR SYMBOL LETTER ([A-Z])$"
    r"|^(?:NEGATIVE )?SQUARED ([A-Z]{1,4})$"
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
    decomposed = unicodedata.normalize("NFKD", _named_letter(character) or character)
    plain = unicodedata.normalize("NFKD", decomposed.casefold()).translate(_PLAIN)
    return tuple((letter, _kind(letter)) for letter in plain if not _is_ignored(letter))


def _named_letter(character: str) -> str | None:
    if unicodedata.category(character) not in {"Ll", "Lu", "So"}:  # marks and tags have such names too
        return None
    found = _NAMED_LETTER.search(unicodedata.name(character, ""))
    return next(filter(None, found.groups())) if found else None


def _is_ignored(letter: str) -> bool:
    """Is it an accent, drawn over or around a letter, or invisible? Other marks form a different letter, in India,
    Southeast Asia and Japan.
    """
    position = unicodedata.combining(letter)
    is_around = position == 1 or unicodedata.category(letter) == "Me"
    return position >= 200 or 10 <= position <= 35 or is_around or _INVISIBLE.match(letter) is not None


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
