"""Follow-ups: questions that a model suggests at the end of its answer, for the learner to ask next.

The model writes each on a line of its own that begins with a mark. They come with the answer, so they need no call of
their own, and every provider can do it.
"""

from __future__ import annotations

import re

MAX_QUESTIONS = 3
MAX_QUESTION_CHARS = 200
# As models write the mark: also in a list, in bold, or with a question mark of another width.
_BULLET = r"[ \t]*(?:(?:[-*+]|\d{1,2}[.)])[ \t]+)?\**"
_LINE = re.compile(rf"{_BULLET}【\s?[?？؟]\s?】\**[ \t]*(.*)")
_NEXT_LINE = re.compile(rf"\n{_LINE.pattern}")
_PART_OF_LINE = re.compile(r"\n?[ \t]*(?:[-*+]|\d{1,2}[.)]?)?[ \t]*\**(?:【\s?(?:[?？؟]\s?)?)?\Z")
_EXTRAS = re.compile(r"\s*【[^【】]*】|\*\*")  # labels of passages, bold
_MAX_HELD_CHARS = 64


class FollowUpReader:
    """Takes the questions out of an answer as it arrives.

    Attributes:
        questions: those found; complete after ``end``.
    """

    def __init__(self) -> None:
        self.questions: list[str] = []
        self._held = ""
        self._is_at_start = True  # nothing was shown yet
        self._is_ending = False  # a question was found: the rest is held

    def feed(self, text: str) -> str:
        """The text that can be shown now."""
        self._held += text
        if self._is_ending:
            return ""
        first = (self._is_at_start and _LINE.match(self._held)) or _NEXT_LINE.search(self._held)
        self._is_ending = first is not None
        return self._take(len(self._held[: first.start()].rstrip()) if first else self._last_line())

    def end(self) -> str:
        """The rest of the text."""
        lines = self._held.splitlines(keepends=True)
        text = "".join(line for line in lines if not self._is_question(line))
        return text.rstrip() if self._is_ending else text

    def _last_line(self) -> int:
        """Where the last line begins, with the blank lines before it, if it may become a question; else the end."""
        line = self._held.rfind("\n")
        if line < 0 and not self._is_at_start:
            return len(self._held)
        if not _PART_OF_LINE.match(self._held, max(line, 0)):
            return len(self._held)
        begin = len(self._held[: max(line, 0)].rstrip())
        return max(begin, len(self._held) - _MAX_HELD_CHARS)

    def _take(self, end: int) -> str:
        text, self._held = self._held[:end], self._held[end:]
        self._is_at_start = self._is_at_start and not text
        return text

    def _is_question(self, line: str) -> bool:
        found = _LINE.match(line)
        if found is None:
            return False
        question = _EXTRAS.sub("", found[1]).strip()
        if question and len(question) <= MAX_QUESTION_CHARS and len(self.questions) < MAX_QUESTIONS:
            self.questions.append(question)
        return True


def read_follow_ups(text: str) -> tuple[str, list[str]]:
    """A complete answer without its questions, and the questions."""
    reader = FollowUpReader()
    return reader.feed(text) + reader.end(), reader.questions
