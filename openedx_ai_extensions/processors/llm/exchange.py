"""What goes to a model and what comes back, whichever of its APIs carries it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from openedx_ai_extensions.accounting import Run

# What everybody may know of the tokens that an answer took. The ledger also knows which came from a cache.
TOKEN_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to have a tool called.

    Attributes:
        id: the provider's own, which the result must carry.
        name: the tool's name.
        arguments: JSON as the model wrote it, maybe broken.
    """

    id: str
    name: str
    arguments: str

    def as_dict(self) -> dict[str, Any]:
        """The call in OpenAI's chat form."""
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


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


class Answer(Protocol):
    """What a model says: iterating gives its text as UTF-8 bytes. The attributes are complete after the end."""

    @property
    def usage(self) -> Mapping[str, int]:
        """What the provider reported, maybe nothing: ``TOKEN_COUNTS``, ``cached_tokens``, ``cache_written_tokens``."""

    @property
    def model_used(self) -> str: ...

    @property
    def tool_calls(self) -> Sequence[ToolCall]: ...

    @property
    def response_id(self) -> str:
        """The provider's name for this answer in its thread; empty when it keeps none."""

    @property
    def request(self) -> Request:
        """What was asked in the end, and of whom: the next round of the conversation goes on from there."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Stop: nobody waits for the rest."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer."""

    text: str
    usage: Mapping[str, int]
    model_used: str
    tool_calls: Sequence[ToolCall] = ()
    response_id: str = ""
    request: Request = field(kw_only=True)

    def __iter__(self) -> Iterator[bytes]:
        if self.text:
            yield self.text.encode()

    def close(self) -> None:
        """It has arrived; there is nothing to stop."""
