"""What goes to a model and what comes back, whichever of its APIs carries it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from openedx_ai_extensions.execution.finish_reason import FinishReason
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.processors.llm.provider.tool_calls import ToolCall

# What everybody may know of the tokens that an answer took. The ledger also knows which came from a cache.
TOKEN_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation that the provider remembers.

    Attributes:
        response_id: the provider's last response in it; empty to begin one.
        known: how many of the request's messages it has seen; the system message is sent every time.
    """

    response_id: str = ""
    known: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model.

    Attributes:
        provider: name of an entry of the setting ``AI_EXTENSIONS``.
        messages: all of them, in OpenAI's chat form.
        options: LiteLLM parameters such as ``temperature``.
        tools: definitions ``{"name", "description", "parameters"}`` of what the model may call.
        hosted_tools: tools that the provider itself runs, in the form of OpenAI's Responses API.
        thread: go on with, or begin, a thread that the provider keeps; None for a call that stands alone.
        seconds: time left for the answer, retries and other providers included; None for the provider's own limit.
        run: in whose account the call is; None for a call outside of any run.
        fallbacks: names of the providers to ask in its place, in this order, when it fails before it says anything.
        begin_within: seconds after which the next of them is asked; None when there is none.
        may_trim: the oldest of the history may be left out, as far as the model's window makes it necessary.
        schema: the form of the answer (name, JSON Schema), for providers that take one; messages say it in words too.
        may_be_cached: whoever asks the same may get the same answer.
        on_admitted: called when the site's limits allow it, before a provider is asked; again when another one is.
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


def estimated_tokens(request: Request) -> int:
    """About how many tokens are sent: four bytes each, which costs no tokenizer's time."""
    sent = [*request.messages, *request.tools]
    return sum(len(str(part).encode("utf-8", "replace")) for part in sent) // 4


@dataclass(frozen=True, slots=True)
class Moderated:
    """What a moderation model says of a text.

    Attributes:
        is_flagged: it should not pass.
        categories: why, in the provider's words.
        usage: ``prompt_tokens`` and ``completion_tokens``, where the provider reports them.
    """

    is_flagged: bool
    categories: Sequence[str]
    usage: Mapping[str, int]


def add_counts(total: dict[str, int], usage: Mapping[str, int]) -> None:
    """Add an answer's ``TOKEN_COUNTS``, as far as the provider told them."""
    for name in TOKEN_COUNTS:
        if name in usage:
            total[name] = total.get(name, 0) + usage[name]


@dataclass(slots=True)
class Reading:
    """What is known of one answer besides its text: more while it arrives, all of it at the end.

    Attributes:
        usage: token counts that the provider reported, maybe none: ``TOKEN_COUNTS``, ``cached_tokens``,
            ``cache_written_tokens``.
        model_used: the model's name, as the provider said it.
        tool_calls: what the model wants called.
        response_id: the provider's name for this answer in its thread; empty when it keeps none.
        finish_reason: how it ended; None until then.
        thinking: fields of the assistant's message that the provider wants back within the turn.
        thought_length: characters of thinking.
    """

    usage: Mapping[str, int] = field(default_factory=dict)
    model_used: str = ""
    tool_calls: Sequence[ToolCall] = ()
    response_id: str = ""
    finish_reason: FinishReason | None = None
    thinking: Mapping[str, Any] = field(default_factory=dict)
    thought_length: int = 0


class Answer(Protocol):
    """What a model says: iterating gives its text as UTF-8 bytes."""

    @property
    def reading(self) -> Reading: ...

    @property
    def request(self) -> Request:
        """What was asked in the end, and of whom: the next round of the conversation goes on from there."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Stop: nobody reads the rest."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer."""

    text: str
    reading: Reading
    request: Request

    def __iter__(self) -> Iterator[bytes]:
        if self.text:
            yield self.text.encode()

    def close(self) -> None:
        """It has arrived; there is nothing to stop."""
