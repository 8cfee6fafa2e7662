"""Collects one answer from its fragments, independent of the API, and its result at the end."""

from __future__ import annotations

import enum
import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.execution.answers import REPORTED, AnswerSigns, FinishReason, finish_reason
from openedx_ai_extensions.processors.llm.provider import fields
from openedx_ai_extensions.processors.llm.provider.answer_text import AnswerText
from openedx_ai_extensions.processors.llm.provider.errors import MACHINE_WORD, ProviderFault
from openedx_ai_extensions.processors.llm.provider.tool_calls import CallParts
from openedx_ai_extensions.processors.llm.provider.types import Reading

logger = logging.getLogger(__name__)

PING_SECONDS = 1.0  # between two signals of a model that works without sending text
# Fields with reasoning as text, and as opaque data.
_REASONING_TEXTS = ("reasoning_content", "reasoning", "thinking")
_REASONING_LISTS = ("thinking_blocks", "reasoning_details")
# Reasoning that may have to be returned to the model under the same name. Mistral refuses its own "thinking".
_RETURNED_FIELDS = frozenset({"reasoning_content", "reasoning"})
# Keys of reasoning blocks whose texts are sent in fragments (Anthropic, OpenRouter), and those that end a block.
_PIECES = frozenset({"thinking", "signature", "text", "summary"})
_CLOSING = ("signature", "data")


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
        self.calls = CallParts()
        self.reported = ""  # the provider's own finish reason
        self.has_refusal = False
        self.has_reasoning = False  # reported without its text
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
        for part in fields.items(content):
            if fields.field(part, "type") == "thinking":
                self._reason("thinking", fields.field(part, "thinking"))
                yield from self.think()
            else:
                yield from self.say(fields.text(fields.field(part, "text")))

    def reason(self, message: Any) -> Iterator[Signal]:
        """Add the reasoning in a message, or in a fragment of one, outside of its text."""
        some = False
        for name in _REASONING_TEXTS:
            some = self._reason(name, fields.field(message, name)) or some
        for name in _REASONING_LISTS:
            for block in fields.items(fields.field(message, name)):
                some = True
                self._block(name, block)
        if some:
            yield from self.think()

    def reason_details(self, extra: Any) -> Iterator[Signal]:
        """Add the reasoning that LiteLLM stores beside a message of OpenRouter."""
        if extra:
            yield from self.reason({"reasoning_details": fields.field(extra, "reasoning_details")})

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
        reading.tool_calls = self.calls.whole(is_cut_off=REPORTED.get(self.reported.lower()) is FinishReason.LENGTH)
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
            value = "".join(fields.text(fields.field(part, "text")) for part in value)
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
        self._reasoned_in_blocks += sum(len(fields.text(block.get(key))) for key in ("thinking", "text", "summary"))
        blocks = self._blocks.setdefault(name, [])
        last = blocks[-1] if blocks else None
        if last is None or not _continues(last, block):
            blocks.append(block)
            return
        is_told_again = any(block.get(key) for key in _CLOSING)  # some LiteLLM versions repeat the text here
        for key, value in block.items():
            is_piece = key in _PIECES and isinstance(value, str) and isinstance(last.get(key), str)
            if not (is_told_again and value == last.get(key)):
                last[key] = last[key] + value if is_piece else value


def _continues(last: Mapping[str, Any], piece: Mapping[str, Any]) -> bool:
    """Does the fragment belong to the same block?"""
    if last.get("type") != piece.get("type") or last.get("index") != piece.get("index"):
        return False
    return not any(last.get(key) for key in _CLOSING)
