"""Converts the fragments that a model sends to text for people: whole characters, without reasoning."""

from __future__ import annotations

import re

from openedx_ai_extensions.core.portable import HALF_CHARACTERS, REPLACEMENT

_TAGS = ("think", "thinking", "thought", "reasoning")
_NAMES = "|".join(_TAGS)
# Mistral uses square brackets.
_OPENING = re.compile(rf"<(?:{_NAMES})>|\[THINK\]", re.IGNORECASE)
_CLOSING = re.compile(rf"</(?:{_NAMES})>|\[/THINK\]", re.IGNORECASE)
_EITHER = re.compile(rf"</?(?:{_NAMES})>|\[/?THINK\]", re.IGNORECASE)
_WHOLE_TAGS = (*(f"<{slash}{name}>" for name in _TAGS for slash in ("", "/")), "[think]", "[/think]")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)


class AnswerText:
    """Reads one answer, fragment by fragment. Blank lines at its start are removed.

    A block ``<think>…</think>`` or ``[THINK]…[/THINK]`` at the start of the answer or of a line, outside of a code
    fence, is reasoning and is removed; other occurrences of these tags are kept. The halves of a surrogate pair (a JSON
    escape such as ``\\ud83d``) in two fragments are joined; a lone half becomes U+FFFD.

    Args:
        starts_thinking: the model's template opens the first block itself, so that only its end is sent.

    Attributes:
        is_thinking: the last fragment ended inside a block of reasoning.
        thought_length: characters of reasoning so far.
    """

    def __init__(self, *, starts_thinking: bool = False) -> None:
        self.is_thinking = starts_thinking
        self.thought_length = 0
        self._shown: list[str] = []
        self._half = ""  # first half of a surrogate pair
        self._held = ""  # possible beginning of a tag
        self._skips_space = False
        self._space = ""  # spaces before the first text

    @property
    def text(self) -> str:
        """The text that was returned so far."""
        if len(self._shown) > 1:
            self._shown = ["".join(self._shown)]
        return self._shown[0] if self._shown else ""

    @property
    def is_empty(self) -> bool:
        """Was no text returned so far?"""
        return not self._shown

    def feed(self, piece: str) -> str:
        """Add a fragment. Returns the text that can be shown now; it may be empty."""
        piece = self._whole_characters(piece)
        if "<" not in piece and "[" not in piece and not (self._held or self.is_thinking or self._skips_space):
            shown = piece
        else:
            shown = self._without_thinking(self._held + piece)
        return self._show(shown)

    def end(self) -> str:
        """End the answer. Returns the text that was held back."""
        left = self._held + (REPLACEMENT if self._half else "")
        self._held = self._half = ""
        if self.is_thinking:
            self.thought_length += len(left)
            return ""
        return self._show(left)

    def _show(self, text: str) -> str:
        if not self._shown and text:
            text = self._space + text
            if text.isspace():
                self._space = text
                return ""
            start = text[: len(text) - len(text.lstrip())]
            text = text[start.rfind("\n") + 1 :]
        if text:
            self._shown.append(text)
        return text

    def _whole_characters(self, piece: str) -> str:
        if piece.isascii() and not self._half:
            return piece
        piece, self._half = self._half + piece, ""
        if "\ud800" <= piece[-1:] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        if HALF_CHARACTERS.search(piece) is None:
            return piece
        return piece.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _without_thinking(self, text: str) -> str:
        self._held = ""
        shown = ""
        while text:
            if self._skips_space:
                text = text.lstrip()
                self._skips_space = not text
                continue
            found = (_CLOSING if self.is_thinking else _EITHER).search(text)
            if found is None:
                text, self._held = _without_unfinished_tag(text)
                if self.is_thinking:
                    self.thought_length += len(text)
                else:
                    shown += text
                break
            before, tag, text = text[: found.start()], found[0], text[found.end() :]
            if self.is_thinking:
                self.thought_length += len(before)
                self.is_thinking, self._skips_space = False, True
                continue
            so_far = self.text + shown + before
            if not _starts_line(so_far):
                shown += before + tag
            elif _OPENING.match(tag):
                shown += before
                self.is_thinking = True
            else:
                # The end of a block that the model's template opened: text that was not shown yet belongs to it.
                self.thought_length += len(before)
                self._skips_space = True
                if not self.is_empty:
                    shown += before
                else:
                    shown = ""
        return shown


def _without_unfinished_tag(text: str) -> tuple[str, str]:
    """Split off a possible beginning of a tag at the end of a text."""
    start = max(text.rfind("<"), text.rfind("["))
    if start >= 0 and any(tag.startswith(text[start:].lower()) for tag in _WHOLE_TAGS):
        return text[:start], text[start:]
    return text, ""


def _starts_line(text: str) -> bool:
    """Does the next character start a line, outside of a code fence?"""
    return not text.rpartition("\n")[2].strip() and len(_FENCE.findall(text)) % 2 == 0


def shown_text(content: str, *, starts_thinking: bool = False) -> tuple[str, int]:
    """The text of a complete answer, and the number of characters of removed reasoning."""
    answer = AnswerText(starts_thinking=starts_thinking)
    text = answer.feed(content) + answer.end()
    return text, answer.thought_length
