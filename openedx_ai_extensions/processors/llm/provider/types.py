"""Requests and answers, independent of the provider's API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from openedx_ai_extensions.execution.answers import FinishReason
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.processors.llm.provider.tool_calls import ToolCall

# The token counts that are public. The ledger also stores how many came from a cache.
TOKEN_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation that the provider stores.

    Attributes:
        response_id: the provider's last response in it; empty to start one.
        known: the number of the request's messages that it contains; the system message is always sent.
    """

    response_id: str = ""
    known: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a model.

    Attributes:
        provider: name of an entry of the setting ``AI_EXTENSIONS``.
        messages: all messages, in OpenAI's chat format.
        options: LiteLLM parameters such as ``temperature``.
        tools: definitions ``{"name", "description", "parameters"}`` of the tools.
        hosted_tools: tools that the provider itself runs, in the format of OpenAI's Responses API.
        thread: the provider's thread to continue or start; None for a call without a thread.
        seconds: time left for the answer, including retries and fallbacks; None for the provider's own limit.
        run: the ledger account; None for a call outside of a run.
        fallbacks: names of the providers to call in this order if it fails before its answer starts.
        begin_within: seconds after which the next fallback is called; None without fallbacks.
        may_trim: the oldest messages may be removed to fit the model's context window.
        schema: the answer's format (name, JSON Schema), for providers that support it; messages describe it too.
        may_be_cached: the answer may be stored for identical requests.
        on_admitted: called once the site's limits allow the call, before each provider is called.
    """

    provider: str
    messages: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    hosted_tools: Sequence[Mapping[str, Any]] = ()
    thread: Thread | None = None
    seconds: float | None = None
    run: Run | None = None
    fallbacks: Sequence[str] = ()
    begin_within: float | None = None
    may_trim: bool = False
    schema: Mapping[str, Any] | None = None
    may_be_cached: bool = False
    on_admitted: Callable[[], None] | None = None


@dataclass(slots=True)
class Reading:
    """The metadata of an answer: filled in while it arrives, complete at the end.

    Attributes:
        usage: token counts that the provider reported, possibly none: ``TOKEN_COUNTS``, ``cached_tokens``,
            ``cache_written_tokens``.
        model_used: the model's name, as the provider reports it.
        tool_calls: the tool calls of the model.
        response_id: the provider's id of this answer in its thread; empty without a thread.
        finish_reason: how the answer ended; None before that.
        thinking: fields of the assistant's message that must be returned to the provider within the turn.
        thought_length: characters of reasoning.
    """

    usage: Mapping[str, int] = field(default_factory=dict)
    model_used: str = ""
    tool_calls: Sequence[ToolCall] = ()
    response_id: str = ""
    finish_reason: FinishReason | None = None
    thinking: Mapping[str, Any] = field(default_factory=dict)
    thought_length: int = 0


class Answer(Protocol):
    """An answer of a model: iterating yields its text as UTF-8 bytes."""

    @property
    def reading(self) -> Reading: ...

    @property
    def request(self) -> Request:
        """The request that was answered, with the provider that answered: the next round continues from it."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Stop the answer."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A complete answer."""

    text: str
    reading: Reading
    request: Request

    def __iter__(self) -> Iterator[bytes]:
        if self.text:
            yield self.text.encode()

    def close(self) -> None:
        """Nothing to stop: the answer is complete."""
