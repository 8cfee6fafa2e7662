"""An answer in passages that make sense by themselves, for moderators that have to read before they judge."""

from __future__ import annotations

import re
from collections.abc import Callable

# The minimum length of a passage doubles from the first to the largest: the first text shows soon.
FIRST_PASSAGE_CHARS = 60
LARGEST_PASSAGE_CHARS = 1_000
MAX_PASSAGE_CHARS = 2_000  # a passage ends here even within a sentence
CONTEXT_CHARS = 200  # of the previous passage, checked again with the next one

# Greedy within small classes only: takes linear time on any text.
_SENTENCE_END = re.compile("[.!?\u2026\u061f][\"'\u201d\u2019)\\]]?\\s|[\u3002\uff01\uff1f\u0964\n\u2029]")


class Passages:
    """Holds an answer back until a passage is whole, and shows it when it has been looked at.

    Passages end with a sentence or a line, and grow: the first text shows soon, and a long answer takes few checks.

    Args:
        check: looks at a passage, with the end of the one before; raises when it must not be shown.
    """

    def __init__(self, check: Callable[[str], None]) -> None:
        self._check = check
        self._held = ""
        self._before = ""
        self._least = FIRST_PASSAGE_CHARS

    def feed(self, text: str) -> str:
        self._held += text
        if len(self._held) < self._least:
            return ""
        ends = [found.end() for found in _SENTENCE_END.finditer(self._held)]
        end = ends[-1] if ends and ends[-1] >= self._least else 0
        if not end and len(self._held) > MAX_PASSAGE_CHARS:
            end = self._held.rfind(" ") + 1 or len(self._held)
        return self._checked(end)

    def end(self) -> str:
        return self._checked(len(self._held))

    def _checked(self, end: int) -> str:
        """The held text up to there, when it may be shown."""
        passage, self._held = self._held[:end], self._held[end:]
        if passage.strip():
            self._check(self._before + passage)
            self._before = passage[-CONTEXT_CHARS:]
            self._least = min(self._least * 2, LARGEST_PASSAGE_CHARS)
        return passage
