"""Splits an answer into passages that can be checked by themselves, for moderators that need context."""

from __future__ import annotations

import re
from collections.abc import Callable

# The minimum length of a passage doubles from the first to the largest: the first text shows soon.
FIRST_PASSAGE_CHARS = 60
LARGEST_PASSAGE_CHARS = 1_000
MAX_PASSAGE_CHARS = 2_000  # a passage ends here even within a sentence
CONTEXT_CHARS = 200  # of the previous passage, checked again with the next one

# No nested quantifiers: takes linear time on any text.
_SENTENCE_END = re.compile("[.!?\u2026\u061f][\"'\u201d\u2019)\\]]?\\s|[\u3002\uff01\uff1f\u0964\n\u2029]")


class Passages:
    """Holds an answer back until a passage is complete, and releases it once it has been checked.

    Passages end at a sentence or a line, and become longer: the first text appears soon, and a long answer needs few
    checks.

    Args:
        check: checks a passage, preceded by the end of the previous one; raises an error if it must not be shown.
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
        """Check the held text up to a position, and return it."""
        passage, self._held = self._held[:end], self._held[end:]
        if passage.strip():
            self._check(self._before + passage)
            self._before = passage[-CONTEXT_CHARS:]
            self._least = min(self._least * 2, LARGEST_PASSAGE_CHARS)
        return passage
