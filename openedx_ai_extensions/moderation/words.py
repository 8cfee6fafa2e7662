"""A moderator with a list of words and phrases, and letters without case, accents and invisible characters."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import regex
from django.core.exceptions import ImproperlyConfigured

from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.moderation.base import (
    PASSED,
    TEXT_SEPARATOR,
    Direction,
    Moderator,
    Screen,
    Settle,
    Verdict,
    moderator_kind,
)

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
LISTED = Verdict(is_refused=True, categories=("listed",))


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


@moderator_kind("words")
class WordList(Moderator):
    """Refuses texts that contain a listed word or phrase.

    Matches whole words, ignoring case and accents; the words of a phrase may be separated by anything but letters and
    digits. In scripts without spaces between words, characters match anywhere.

    Options: ``words``, a list, and ``file``, a path to more of them: UTF-8, one per line, ``#`` starts a comment. The
    file is read once per process.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        super().__init__(name, options)
        self._root = _Node()
        for entry in _entries(options):
            self._root.add(words(entry))
        if not self._root.children:
            raise ImproperlyConfigured("it needs WORDS, or a FILE with some")

    def check(self, text: str, direction: Direction, run: Run) -> Verdict:
        scanner = _Scanner(self._root)
        is_listed = any(map(scanner.read, text)) or scanner.end()
        return LISTED if is_listed else PASSED

    def screen(self, run: Run, settle: Settle) -> Screen:
        """Check an answer while it streams; holds back only text that may become a listed phrase."""
        return _WordScreen(_Scanner(self._root), lambda: settle(LISTED))


def _entries(options: Mapping[str, Any]) -> Iterable[str]:
    """The configured words and phrases.

    Raises:
        ImproperlyConfigured: they are not texts, or the file cannot be read.
    """
    stated = options.get("words", ())
    if not isinstance(stated, list | tuple | set | frozenset) or not all(isinstance(entry, str) for entry in stated):
        raise ImproperlyConfigured("its WORDS must be a list of texts")
    yield from stated
    if options.get("file"):
        try:
            lines = Path(options["file"]).read_text(encoding="utf-8").splitlines()
        except (OSError, TypeError, ValueError) as error:
            raise ImproperlyConfigured(f"its FILE cannot be read ({type(error).__name__})") from None
        yield from (line.partition("#")[0] for line in lines)


class _Node:
    """A node in the tree of phrases, reached by the words of a phrase so far."""

    __slots__ = ("beginnings", "children", "is_end")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.beginnings: set[str] = set()  # prefixes of the words that may come next
        self.is_end = False

    def add(self, phrase: list[str]) -> None:
        node = self
        for word in phrase:
            node.beginnings.update(word[:length] for length in range(1, len(word) + 1))
            node = node.children.setdefault(word, _Node())
        node.is_end = node is not self


class _Scanner:
    """Reads a text once, character by character, and tracks the phrases that may have started.

    Attributes:
        place: number of characters read.
    """

    def __init__(self, root: _Node) -> None:
        self.place = 0
        self._root = root
        self._open: list[tuple[_Node, int]] = []  # phrases that continue with the next word, and their start
        self._candidates: list[tuple[_Node, int]] = []  # phrases that the current word may continue or start
        self._word: str | None = None  # letters of the current word

    def read(self, character: str) -> bool:
        """Read a character. Returns whether a listed word or phrase is complete now."""
        is_listed = False
        for letter, kind in folded(character):
            if kind is not LetterKind.LETTER:
                is_listed = self.end() or is_listed
            if kind is not LetterKind.APART:
                self._add(letter)
            if kind is LetterKind.ALONE:
                is_listed = self.end() or is_listed
        if character == TEXT_SEPARATOR:
            self._open = []
        self.place += 1
        return is_listed

    def end(self) -> bool:
        """End the current word. Returns whether a listed word or phrase is complete with it."""
        if self._word is None:
            return False
        found = [(node.children[self._word], start) for node, start in self._candidates if self._word in node.children]
        self._open = [(node, start) for node, start in found if node.children]
        self._word = None
        return any(node.is_end for node, _start in found)

    def safe_length(self) -> int:
        """The position up to which the text cannot be part of a listed phrase."""
        waiting = self._open if self._word is None else self._candidates
        return min((start for _node, start in waiting), default=self.place)

    def _add(self, letter: str) -> None:
        if self._word is None:
            self._word = ""
            self._candidates = [*self._open, (self._root, self.place)]
        if self._candidates:
            word = self._word = self._word + letter
            self._candidates = [(node, start) for node, start in self._candidates if word in node.beginnings]


class _WordScreen:
    def __init__(self, scanner: _Scanner, refuse: Callable[[], None]) -> None:
        self._scanner = scanner
        self._refuse = refuse
        self._held = ""
        self._shown = 0

    def feed(self, text: str) -> str:
        if any(map(self._scanner.read, text)):
            self._refuse()
        self._held += text
        return self._release(self._scanner.safe_length())

    def end(self) -> str:
        if self._scanner.end():
            self._refuse()
        return self._release(self._scanner.place)

    def _release(self, place: int) -> str:
        length = place - self._shown
        self._shown = place
        shown, self._held = self._held[:length], self._held[length:]
        return shown
