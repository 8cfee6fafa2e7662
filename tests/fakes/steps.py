"""What a fake provider is told to answer, before it takes any API's form."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DEFAULT_USAGE = {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called; arguments given as a string go out as they are, broken or not."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    id: str | None = None

    @property
    def raw_arguments(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Say:
    """Answer with this text, or these chunks."""

    text: str | Sequence[str]


@dataclass(frozen=True, slots=True, init=False)
class CallTools:
    """Ask for these tools to be called, maybe after saying something."""

    calls: Sequence[ToolCall]
    text: str | Sequence[str]

    def __init__(self, *calls: ToolCall, text: str | Sequence[str] = "") -> None:
        object.__setattr__(self, "calls", calls)
        object.__setattr__(self, "text", text)


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer with an error, in the API's own shape unless ``body`` says otherwise."""

    status: int
    body: Any = None
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """Say what ``reply`` set, and break the connection after so many chunks; a plain answer breaks halfway."""

    after_chunks: int


class Ending(enum.Enum):
    """What follows the last byte of a stream."""

    PROPER = "the end of the body"
    LEFT_OPEN = "nothing: the connection stays open"
    CUT = "the connection breaks"


@dataclass(frozen=True, slots=True)
class Wire:
    """Answer with these bytes, whatever they are.

    Attributes:
        stream: the body for a request that streams, in the pieces in which it is sent.
        whole: the body for a request that does not, as bytes or as a value for JSON.
        ending: what follows the stream.
        content_type: of the stream.
        pause: seconds between two pieces.
    """

    stream: Sequence[bytes] = ()
    whole: Any = None
    ending: Ending = Ending.PROPER
    content_type: str = "text/event-stream"
    pause: float = 0.0


Step = Say | CallTools | Fail | Break | Wire


@dataclass(slots=True)
class Script:
    """What requests are answered when there is no step for them, and how broken all answers are."""

    chunks: Sequence[str] = ("Hello ", "from ", "the ", "model.")
    usage: Mapping[str, int] | None = field(default_factory=lambda: DEFAULT_USAGE)
    delay: float = 0.0
    cut_after: int | None = None
    hang: float = 0.0
    hang_after: int = 0
    garbage: bool = False
    split_bytes: bool = False
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """The content of one answer."""

    chunks: Sequence[str]
    calls: Sequence[ToolCall]
    usage: Mapping[str, int] | None
    cut_after: int | None

    @classmethod
    def of(cls, step: Say | CallTools | Break | None, script: Script) -> Turn:
        match step:
            case CallTools(calls=calls, text=text):
                return cls(chunks_of(text) if text else (), calls, script.usage, script.cut_after)
            case Say(text=text):
                return cls(chunks_of(text), (), script.usage, script.cut_after)
            case Break(after_chunks=chunks):
                return cls(script.chunks, (), script.usage, chunks)
        return cls(script.chunks, (), script.usage, script.cut_after)

    @property
    def text(self) -> str:
        return "".join(self.chunks)


def chunks_of(text: str | Sequence[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)
