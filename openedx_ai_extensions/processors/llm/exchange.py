"""What goes to a model and what comes back, whichever of its APIs carries it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


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
        seconds: time left for the answer, retries included; None for the provider's own limit.
    """

    provider: str
    messages: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    hosted_tools: Sequence[Mapping[str, Any]] = ()
    thread: Thread | None = None
    seconds: float | None = None


class Answer(Protocol):
    """What a model says: iterating gives its text as UTF-8 bytes. The attributes are complete after the end."""

    @property
    def usage(self) -> Mapping[str, int]:
        """Token counts as the provider reported them, maybe none."""

    @property
    def model_used(self) -> str: ...

    @property
    def tool_calls(self) -> Sequence[ToolCall]: ...

    @property
    def response_id(self) -> str:
        """The provider's name for this answer in its thread; empty when it keeps none."""

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

    def __iter__(self) -> Iterator[bytes]:
        if self.text:
            yield self.text.encode()

    def close(self) -> None:
        """It has arrived; there is nothing to stop."""
