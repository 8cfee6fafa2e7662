"""Reads one answer from its fragments, in any of the forms that providers send: text, reasoning, calls of tools."""

from __future__ import annotations

import enum
import logging
import re
import time
from collections.abc import Iterator, Mapping
from functools import wraps
from typing import Any

from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.core.portable import HALF_CHARACTERS, REPLACEMENT
from openedx_ai_extensions.execution.answers import REPORTED, AnswerSigns, FinishReason, finish_reason
from openedx_ai_extensions.ledger.prices import MAX_TOKENS
from openedx_ai_extensions.processors.llm.provider.errors import MACHINE_WORD, ProviderFault
from openedx_ai_extensions.processors.llm.provider.tool_calls import CallParts
from openedx_ai_extensions.processors.llm.provider.types import Reading
from openedx_ai_extensions.prompts.fences import FENCE_TAG, FENCE_TAGS

logger = logging.getLogger(__name__)

PING_SECONDS = 1.0  # between two signals of a model that works without sending text
# Fields with reasoning as text, and as opaque data.
_REASONING_TEXTS = ("reasoning_content", "reasoning", "thinking")
_REASONING_LISTS = ("thinking_blocks", "reasoning_details")
# Reasoning that may have to be returned to the model under the same name. Mistral refuses its own "thinking".
_RETURNED_FIELDS = frozenset({"reasoning_content", "reasoning"})
# Keys of reasoning blocks whose texts are sent in fragments (Anthropic, OpenRouter), and those that end a block.
_PIECES = frozenset({"thinking", "signature", "text", "summary"})
_BLOCK_ENDS = ("signature", "data")

_TAGS = ("think", "thinking", "thought", "reasoning")
_NAMES = "|".join(_TAGS)
# Mistral uses square brackets.
_OPENING = re.compile(rf"<(?:{_NAMES})>|\[THINK\]", re.IGNORECASE)
_CLOSING = re.compile(rf"</(?:{_NAMES})>|\[/THINK\]", re.IGNORECASE)
_ANY = re.compile(rf"{_OPENING.pattern}|{_CLOSING.pattern}|{FENCE_TAG.pattern}", re.IGNORECASE)
_WHOLE_TAGS = (*(f"<{slash}{name}>" for name in _TAGS for slash in ("", "/")), "[think]", "[/think]", *FENCE_TAGS)
_TAG_BEGINNINGS = frozenset(tag[:length] for tag in _WHOLE_TAGS for length in range(1, len(tag)))
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)


def field(item: Any, name: str) -> Any:
    """A field of a provider's dictionary or LiteLLM's object; None if it is missing."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def members(value: Any) -> Iterator[Any]:
    """The members of a list; empty for any other value."""
    return iter(value) if isinstance(value, list | tuple) else iter(())


def as_text(value: Any) -> str:
    """A text; empty for any other value."""
    return value if isinstance(value, str) else ""


def token_count(value: Any) -> int | None:
    """A number of tokens; None for an invalid value."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_TOKENS:
        return None
    return int(value)


def token_counts(values: Mapping[str, Any]) -> dict[str, int]:
    """The valid numbers of tokens."""
    return {name: count for name, value in values.items() if (count := token_count(value)) is not None}


def drop_impossible_counts(usage: Any) -> None:
    """Patch LiteLLM's class of token counts: a single impossible one, such as a negative number, would fail the whole
    answer.
    """
    original_init = usage.__init__

    @wraps(original_init)
    def init_without_impossible_counts(self: Any, *args: Any, **kwargs: Any) -> None:
        original_init(self, *args, **{name: _without_impossible(name, value) for name, value in kwargs.items()})

    usage.__init__ = init_without_impossible_counts


def _without_impossible(name: str, value: Any) -> Any:
    """The value of a field of the usage, with impossible token counts replaced by None."""
    if name.endswith("_tokens"):
        return token_count(value)
    if isinstance(value, Mapping):
        return {inner: _without_impossible(inner, each) for inner, each in value.items()}
    return value


class Signal(enum.Enum):
    """What a stream reports besides text."""

    WORKING = "working"  # the model is busy, for example writing the arguments of a tool
    THINKING = "thinking"  # the model started to reason
    FINISHED = "finished"  # the answer is complete or truncated; token counts may follow
    PERHAPS_FINISHED = "perhaps_finished"  # as FINISHED, but the provider may report it with each chunk


class AnswerReader:
    """Collects one answer from its fragments.

    Args:
        reading: filled in while fragments arrive, and by ``end``.
        starts_thinking: see ``AnswerText``.
    """

    def __init__(self, reading: Reading, *, starts_thinking: bool = False) -> None:
        self.reading = reading
        self.text = AnswerText(starts_thinking=starts_thinking)
        self.reported = ""  # the provider's own finish reason
        self.has_refusal = False
        self.has_reasoning = False  # reported without its text
        self._calls: CallParts | None = None
        self._reasoning: dict[str, list[str]] = {}
        self._blocks: dict[str, list[dict[str, Any]]] = {}
        self._reasoned = 0  # characters, outside of the text
        self._reasoned_in_blocks = 0
        self._is_thinking = False
        self._pinged = 0.0
        self._unknown = ""  # the last unknown finish reason that was logged

    def say(self, content: Any) -> Iterator[str | Signal]:
        """Add a fragment of the content: a text, or a list of parts, as Mistral's reasoning models send it."""
        if isinstance(content, str):
            shown = self.text.feed(content)
            if shown:
                self._is_thinking = False
                yield shown
            elif self.text.is_thinking:
                yield from self.think()
            else:
                yield from self.ping()
            return
        for part in members(content):
            if field(part, "type") == "thinking":
                self._reason("thinking", field(part, "thinking"))
                yield from self.think()
            else:
                yield from self.say(as_text(field(part, "text")))

    def reason(self, message: Any) -> Iterator[Signal]:
        """Add the reasoning in a message, or in a fragment of one, outside of its text."""
        some = False
        for name in _REASONING_TEXTS:
            some = self._reason(name, field(message, name)) or some
        for name in _REASONING_LISTS:
            for block in members(field(message, name)):
                some = True
                self._block(name, block)
        if some:
            yield from self.think()

    def add_calls(self, calls: Any, *, are_whole: bool = False) -> None:
        """Add calls of tools, or fragments of some, in any form that providers use for ``tool_calls``."""
        for call in members(calls):
            function = field(call, "function")
            if function is None and isinstance(field(call, "name"), str):
                function = call  # some servers do not nest name and arguments
            if function is not None:
                self._calls = self._calls or CallParts()
                self._calls.add(
                    field(call, "index"),
                    as_text(field(call, "id")),
                    as_text(field(function, "name")),
                    field(function, "arguments"),
                    field(call, "provider_specific_fields"),
                    is_whole=are_whole,
                )

    def think(self) -> Iterator[Signal]:
        """The model reasons: yields a signal at the start, and then from time to time."""
        if self._is_thinking:
            yield from self.ping()
        else:
            self._is_thinking = True
            self._pinged = time.monotonic()
            yield Signal.THINKING

    def ping(self) -> Iterator[Signal]:
        """The model works: yields a signal from time to time."""
        now = time.monotonic()
        if now - self._pinged > PING_SECONDS:
            self._pinged = now
            yield Signal.WORKING

    def end(self) -> Iterator[str]:
        """End the answer: yields the text that was held back, then completes ``reading``. May be called again.

        Raises:
            ProviderFault: the provider reported a failure.
        """
        left = self.text.end()
        if left:
            yield left
        self._fill()
        if self.reading.finish_reason is FinishReason.PROVIDER_ERROR:
            raise ProviderFault

    def _fill(self) -> None:
        reading = self.reading
        if self._calls is not None:
            is_cut_off = REPORTED.get(self.reported.lower()) is FinishReason.LENGTH
            reading.tool_calls = self._calls.whole(is_cut_off=is_cut_off)
        # LiteLLM reports the text of blocks twice.
        reading.thought_length = self.text.thought_length + max(self._reasoned, self._reasoned_in_blocks)
        texts = {name: "".join(pieces) for name, pieces in self._reasoning.items() if name in _RETURNED_FIELDS}
        reading.thinking = {**texts, **self._blocks}
        reading.finish_reason = finish_reason(
            AnswerSigns(
                reported=self.reported,
                has_text=bool(self.text.text.strip()),
                has_calls=bool(reading.tool_calls),
                has_refusal=self.has_refusal,
                has_reasoning=self.has_reasoning or reading.thought_length > 0 or bool(self._blocks),
            )
        )
        if reading.finish_reason.is_declined or reading.finish_reason is FinishReason.MALFORMED_CALL:
            reading.tool_calls = ()
        if reading.finish_reason is FinishReason.OTHER and self._unknown != self.reported:
            self._unknown = self.reported
            word = self.reported if MACHINE_WORD.fullmatch(self.reported) else "-"
            logger.warning("llm.finish_reason.unknown model=%s word=%s", logged(reading.model_used), word)

    def _reason(self, name: str, value: Any) -> bool:
        if isinstance(value, list):  # Mistral sends a list of texts
            value = "".join(as_text(field(part, "text")) for part in value)
        if not isinstance(value, str) or not value:
            return False
        self._reasoning.setdefault(name, []).append(value)
        if name == next(iter(self._reasoning)):  # some servers send the same text under two names
            self._reasoned += len(value)
        return True

    def _block(self, name: str, piece: Any) -> None:
        """Add a block of reasoning, or a fragment of the last one, which ends with its signature."""
        block = dict(piece) if isinstance(piece, Mapping) else dict(vars(piece))
        block = {key: value for key, value in block.items() if value is not None}
        self._reasoned_in_blocks += sum(len(as_text(block.get(key))) for key in ("thinking", "text", "summary"))
        blocks = self._blocks.setdefault(name, [])
        last = blocks[-1] if blocks else {}
        is_of_last = bool(blocks) and all(last.get(key) == block.get(key) for key in ("type", "index"))
        if not is_of_last or any(last.get(key) for key in _BLOCK_ENDS):
            blocks.append(block)
            return
        is_told_again = any(block.get(key) for key in _BLOCK_ENDS)  # some LiteLLM versions repeat the text here
        for key, value in block.items():
            is_piece = key in _PIECES and isinstance(value, str) and isinstance(last.get(key), str)
            if not (is_told_again and value == last.get(key)):
                last[key] = last[key] + value if is_piece else value


class AnswerText:
    """Converts fragments to text for people: whole characters, without reasoning, without tags of our fences, and
    without blank lines at the start.

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
            return self._show(piece)
        return self._show(self._without_thinking(self._held + piece))

    def end(self) -> str:
        """End the answer. Returns the text that was held back."""
        # With an underscore, it is the beginning of a fence's tag, in an answer that was cut off.
        left = ("" if "_" in self._held else self._held) + (REPLACEMENT if self._half else "")
        self._held = self._half = ""
        if self.is_thinking:
            self.thought_length += len(left)
            return ""
        return self._show(left)

    def _show(self, shown: str) -> str:
        if not self._shown and shown:
            shown = self._space + shown
            if shown.isspace():
                self._space = shown
                return ""
            start = shown[: len(shown) - len(shown.lstrip())]
            shown = shown[start.rfind("\n") + 1 :]
        if shown:
            self._shown.append(shown)
        return shown

    def _whole_characters(self, piece: str) -> str:
        if piece.isascii() and not self._half:
            return piece
        piece, self._half = self._half + piece, ""
        if "\ud800" <= piece[-1:] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        if HALF_CHARACTERS.search(piece) is None:
            return piece
        return piece.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _without_thinking(self, left: str) -> str:
        self._held = ""
        shown = ""
        while left:
            if self._skips_space:
                left = left.lstrip()
                self._skips_space = not left
                continue
            found = (_CLOSING if self.is_thinking else _ANY).search(left)
            if found is None:
                left, self._held = _without_unfinished_tag(left)
                if self.is_thinking:
                    self.thought_length += len(left)
                else:
                    shown += left
                break
            before, tag, left = left[: found.start()], found[0], left[found.end() :]
            if self.is_thinking:
                self.thought_length += len(before)
                self.is_thinking, self._skips_space = False, True
                continue
            if FENCE_TAG.match(tag):
                shown += before
                continue
            so_far = self.text + shown + before
            starts_line = not so_far.rpartition("\n")[2].strip() and len(_FENCE.findall(so_far)) % 2 == 0
            if not starts_line:  # or it is in a code fence
                shown += before + tag
            elif _OPENING.match(tag):
                shown += before
                self.is_thinking = True
            else:
                # The end of a block that the model's template opened: text that was not shown yet belongs to it.
                self.thought_length += len(before)
                self._skips_space = True
                shown = "" if self.is_empty else shown + before
        return shown


def _without_unfinished_tag(piece: str) -> tuple[str, str]:
    """Split off a possible beginning of a tag at the end of a text."""
    start = max(piece.rfind("<"), piece.rfind("["))
    if start >= 0 and piece[start:].lower() in _TAG_BEGINNINGS:
        return piece[:start], piece[start:]
    return piece, ""
