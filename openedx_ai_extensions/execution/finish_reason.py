"""How a model's answer ended: one decision for every API, streamed or not.

Providers report it in different words and fields. The readers (``chat``, ``responses``) pass on what they saw; the
conversation, the ledger, the cache and the REST API use the resulting ``FinishReason``.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.exceptions import AIExtensionsError, AnswerDeclined, AnswerTooLong, EmptyAnswer

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
    # Complete answers: TGI, Anthropic, Cohere, Responses and others. Tool calls are detected by the calls themselves.
    "": FinishReason.STOP,
    "stop": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "complete": FinishReason.STOP,
    "completed": FinishReason.STOP,
    "done": FinishReason.STOP,
    "finished": FinishReason.STOP,
    "tool_calls": FinishReason.STOP,
    "tool_call": FinishReason.STOP,
    "tool_use": FinishReason.STOP,
    "function_call": FinishReason.STOP,
    # OpenAI chat completions and compatible servers; Ollama's "done_reason"
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "content_filtered": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.REFUSAL,
    # OpenAI Responses: incomplete_details.reason
    "max_output_tokens": FinishReason.LENGTH,
    "incomplete": FinishReason.LENGTH,
    # Anthropic and Bedrock: stop_reason
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "compaction": FinishReason.LENGTH,
    "pause_turn": FinishReason.LENGTH,  # the provider continues when asked to
    "guardrail_intervened": FinishReason.CONTENT_FILTER,
    # Mistral
    "model_length": FinishReason.LENGTH,
    # Gemini and Vertex AI: finishReason, promptFeedback.blockReason
    "safety": FinishReason.CONTENT_FILTER,
    "recitation": FinishReason.CONTENT_FILTER,
    "language": FinishReason.CONTENT_FILTER,
    "blocklist": FinishReason.CONTENT_FILTER,
    "prohibited_content": FinishReason.CONTENT_FILTER,
    "spii": FinishReason.CONTENT_FILTER,
    "model_armor": FinishReason.CONTENT_FILTER,
    "image_safety": FinishReason.CONTENT_FILTER,
    "escalation": FinishReason.CONTENT_FILTER,
    "other": FinishReason.CONTENT_FILTER,
    "malformed_function_call": FinishReason.MALFORMED_CALL,
    "malformed_tool_call": FinishReason.MALFORMED_CALL,
    "malformed_model_output": FinishReason.MALFORMED_CALL,
    "malformed_response": FinishReason.MALFORMED_CALL,
    "unexpected_tool_call": FinishReason.MALFORMED_CALL,
    "missing_thought_signature": FinishReason.MALFORMED_CALL,
    "too_many_tool_calls": FinishReason.MALFORMED_CALL,
    "function_call_filter": FinishReason.MALFORMED_CALL,
    # Cohere, and others through LiteLLM
    "error_toxic": FinishReason.CONTENT_FILTER,
    "error_limit": FinishReason.LENGTH,
    "sensitive": FinishReason.CONTENT_FILTER,
    "token_limit": FinishReason.LENGTH,
    "time_limit": FinishReason.LENGTH,
    # A proxy's upstream (OpenRouter) or the provider itself failed during the answer
    "error": FinishReason.PROVIDER_ERROR,
    "network_error": FinishReason.PROVIDER_ERROR,
    "failed": FinishReason.PROVIDER_ERROR,
    "abort": FinishReason.PROVIDER_ERROR,
    "cancelled": FinishReason.PROVIDER_ERROR,
    "insufficient_system_resource": FinishReason.PROVIDER_ERROR,  # DeepSeek
}


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
