"""The answer of an action, and how it ended: a ``Result`` or a ``Stream``. Failures are exceptions.

Providers report the end of a model's answer in different words and fields. ``finish_reason`` decides for every API,
streamed or not; the conversation, the ledger, the cache and the REST API use the resulting ``FinishReason``.
"""

from __future__ import annotations

import enum
import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    AnswerDeclined,
    AnswerTooLong,
    EmptyAnswer,
    RunCancelled,
)

logger = logging.getLogger(__name__)

# Options that limit the length of an answer.
OUTPUT_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


class FinishReason(enum.StrEnum):
    """How an answer ended. OpenAI's words are used where there is one."""

    STOP = "stop"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"
    SITE_LIMIT = "site_limit"  # longer than this site's limit
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    MALFORMED_CALL = "malformed_call"
    EMPTY = "empty"
    OTHER = "other"  # a reported reason that is not in REPORTED
    PROVIDER_ERROR = "provider_error"

    @property
    def is_whole(self) -> bool:
        """The model finished its answer, as far as is known."""
        return self in {FinishReason.STOP, FinishReason.TOOL_CALLS, FinishReason.OTHER}

    @property
    def is_declined(self) -> bool:
        """The model, or a content filter, declined to continue."""
        return self in {FinishReason.CONTENT_FILTER, FinishReason.REFUSAL}

    @property
    def is_retryable(self) -> bool:
        """The same request may succeed when it is repeated."""
        return self in {FinishReason.EMPTY, FinishReason.MALFORMED_CALL}


# Reported reasons, in lower case.
REPORTED = {
    word: reason
    for reason, words in {
        # TGI, Anthropic, Cohere, Responses and others. Tool calls are detected by the calls themselves.
        FinishReason.STOP: (
            "", "stop", "stop_sequence", "eos", "eos_token", "end_turn", "complete", "completed", "done", "finished",
            "tool_calls", "tool_call", "tool_use", "function_call",
        ),
        FinishReason.LENGTH: (
            "length",  # OpenAI chat completions and compatible servers; Ollama's "done_reason"
            "max_output_tokens", "incomplete",  # OpenAI Responses: incomplete_details.reason
            "max_tokens", "model_context_window_exceeded", "compaction",  # Anthropic and Bedrock: stop_reason
            "pause_turn",  # Anthropic; the provider continues when asked to
            "model_length",  # Mistral
            "error_limit", "token_limit", "time_limit",  # Cohere, and others through LiteLLM
        ),
        FinishReason.CONTENT_FILTER: (
            "content_filter", "content_filtered",
            "guardrail_intervened",  # Bedrock
            # Gemini and Vertex AI: finishReason, promptFeedback.blockReason
            "safety", "recitation", "language", "blocklist", "prohibited_content", "spii", "model_armor",
            "image_safety", "escalation", "other",
            "error_toxic", "sensitive",  # Cohere, and others through LiteLLM
        ),
        FinishReason.REFUSAL: ("refusal",),
        # Gemini and Vertex AI
        FinishReason.MALFORMED_CALL: (
            "malformed_function_call", "malformed_tool_call", "malformed_model_output", "malformed_response",
            "unexpected_tool_call", "missing_thought_signature", "too_many_tool_calls", "function_call_filter",
        ),
        # A proxy's upstream (OpenRouter) or the provider itself failed during the answer.
        FinishReason.PROVIDER_ERROR: (
            "error", "network_error", "failed", "abort", "cancelled",
            "insufficient_system_resource",  # DeepSeek
        ),
    }.items()
    for word in words
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AnswerSigns:
    """What a reader saw of an answer.

    Attributes:
        reported: the provider's finish reason; None or empty if it reported none.
        has_text: there is text to show.
        has_calls: the model called tools.
        has_refusal: the model declined in a separate field.
        has_reasoning: the model sent reasoning.
    """

    reported: str | None
    has_text: bool
    has_calls: bool = False
    has_refusal: bool = False
    has_reasoning: bool = False


def finish_reason(heard: AnswerSigns) -> FinishReason:
    """Decide how an answer ended."""
    # Gemini's OpenAI-compatible endpoint adds a detail after a colon: "content_filter: RECITATION".
    word = (heard.reported or "").partition(":")[0].strip().lower()
    reason = REPORTED.get(word, FinishReason.OTHER)
    if heard.has_refusal:
        return FinishReason.REFUSAL
    is_plain_end = reason in {FinishReason.STOP, FinishReason.OTHER}
    if not is_plain_end and not (reason is FinishReason.LENGTH and heard.has_calls):
        return reason
    if heard.has_calls:
        return FinishReason.TOOL_CALLS  # even if cut off: incomplete calls get an error as their result
    if heard.has_text:
        return reason
    # A model that reasoned and then sent no text has reached its limit, whatever the server reports.
    return FinishReason.LENGTH if heard.has_reasoning else FinishReason.EMPTY


def error_without_text(reason: FinishReason, *, options: Mapping[str, Any], about: str) -> AIExtensionsError:
    """The error for an answer that ended without usable text.

    Args:
        reason: how the answer ended.
        options: the request's options; the one that limits the answer is logged, so that the operator can raise it.
        about: identifies the provider and model in the log.
    """
    if reason is FinishReason.SITE_LIMIT:
        return AnswerTooLong()
    if reason is FinishReason.LENGTH:
        option = next((name for name in OUTPUT_LIMITS if name in options), OUTPUT_LIMITS[-1])
        limit = options.get(option, "the provider's default")
        logger.warning("llm.answer.too_long %s raise_option=%s limit=%s", about, option, limit)
        return AnswerTooLong()
    if reason.is_declined:
        return AnswerDeclined()
    return EmptyAnswer()


def notice(reason: str) -> str:
    """The translated notice for a truncated answer; empty for a complete one."""
    if reason == FinishReason.LENGTH:
        return _("The answer was cut off because it reached its length limit. You can ask the AI to continue.")
    if reason == FinishReason.SITE_LIMIT:
        return _("The answer was cut off because it is longer than this site allows.")
    if reason in {FinishReason.CONTENT_FILTER, FinishReason.REFUSAL}:
        return _("The AI service stopped this answer because of its content rules.")
    if reason in {FinishReason.MALFORMED_CALL, FinishReason.EMPTY}:
        return _("The AI stopped before its answer was complete. Please try again.")
    return ""


def with_notice(text: str, reason: str) -> str:
    """The text, followed by the notice in brackets if the answer was truncated."""
    told = notice(reason)
    return f"{text}\n\n[{told}]" if told else text


@dataclass(frozen=True, slots=True)
class Result:
    """A complete answer.

    Attributes:
        response: any JSON-serialisable value.
        status: the status in the REST contract.
        extra: further fields of the answer.
        finish_reason: how the model's text ended, see ``processors.llm.FinishReason``; empty for other answers. A
            truncated text gets a notice appended.
    """

    response: Any
    status: str = "completed"
    extra: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        if not notice(self.finish_reason):
            return {"response": self.response, "status": self.status, **self.extra}
        text = with_notice(str(self.response), self.finish_reason)
        return {"response": text, "status": self.status, "finish_reason": self.finish_reason, **self.extra}


@dataclass(frozen=True, slots=True)
class StatusResult(Result):
    """An answer that has a status and fields, but no response."""

    response: Any = None

    def as_dict(self) -> dict[str, Any]:
        return {"status": self.status, **self.extra}


class Ending(enum.StrEnum):
    """How a stream ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


Finish = Callable[[Ending, str], None]


class Stream:
    """An answer that is still arriving, and that runs its own cleanup.

    Iterating yields UTF-8 bytes that never split a character; an empty chunk is a heartbeat. ``finish`` runs exactly
    once when the stream ends (source exhausted, source failed or consumer gone), with the ending and the text that was
    delivered.

    Args:
        source: yields the chunks; its ``close()``, if it has one, is called at the end. Its attributes ``usage``,
            ``finish_reason`` and ``citations`` are read after the end.
        finish: runs once, in the thread that consumes the stream.
        run_id: identifies this run to the client.

    Raises (while iterating):
        AIExtensionsError: the source failed; the chunks before that were delivered.
    """

    def __init__(self, source: Iterable[bytes], *, finish: Finish, run_id: str = "") -> None:
        self.source = source
        self.run_id = run_id
        self._chunks: Iterator[bytes] = iter(source)
        self._finish = finish
        self._delivered: list[bytes] = []
        self.error: BaseException | None = None  # the exception that ended the stream
        self._check: Callable[[], None] | None = None
        self._ended = False
        self._lock = threading.Lock()

    @property
    def usage(self) -> Mapping[str, int]:
        """Token counts, once the source has reported them."""
        return getattr(self.source, "usage", None) or {}

    @property
    def finish_reason(self) -> str:
        """How the model's answer ended, see ``processors.llm.FinishReason``; ``stop`` if the source reports none."""
        return str(getattr(self.source, "finish_reason", None) or "stop")

    @property
    def citations(self) -> Sequence[Mapping[str, Any]]:
        """The citations in the text, see ``prompts.citations.CitationReader``."""
        return getattr(self.source, "citations", None) or ()

    def on_finish(self, finish: Finish) -> None:
        """Run ``finish`` at the end, after the functions added before it, even if one of those fails."""
        first = self._finish

        def both(ending: Ending, text: str) -> None:
            try:
                first(ending, text)
            finally:
                finish(ending, text)

        self._finish = both

    def before_each_chunk(self, check: Callable[[], None]) -> None:
        """Run ``check`` before each chunk is returned. An exception that it raises ends the stream."""
        self._check = check

    def then(self, finish: Finish) -> None:
        """Deprecated name of ``on_finish``."""
        warnings.warn("Stream.then is called Stream.on_finish now.", DeprecationWarning, stacklevel=2)
        self.on_finish(finish)

    def watch(self, check: Callable[[], None]) -> None:
        """Deprecated name of ``before_each_chunk``."""
        warnings.warn("Stream.watch is called Stream.before_each_chunk now.", DeprecationWarning, stacklevel=2)
        self.before_each_chunk(check)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        try:
            chunk = next(self._chunks)
            if self._check is not None:
                self._check()
        except StopIteration:
            self._end(Ending.COMPLETED)
            raise
        except (GeneratorExit, RunCancelled):
            self._end(Ending.CANCELLED)
            raise
        except BaseException as error:
            # The ending must run for every exception; the renderer handles the exception itself.
            self.error = error
            self._end(Ending.FAILED)
            raise
        if chunk:
            self._delivered.append(chunk)
        return chunk

    def close(self) -> None:
        """Stop the source and end the stream as cancelled. Does nothing after the end."""
        self._end(Ending.CANCELLED)

    def _end(self, ending: Ending) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
        try:
            close = getattr(self.source, "close", None)
            if close is not None:
                close()
        finally:
            self._finish(ending, b"".join(self._delivered).decode("utf-8", "replace"))
