"""What the fakes of all providers share on the wire: events, refusals, and what a provider remembers."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.fakes.steps import Turn

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event.

    Attributes:
        data: its JSON; None is OpenAI's ``[DONE]``. A ``type`` in it also names the event.
        is_chunk: it carries a piece of the answer, text or arguments: what ``cut_after`` counts.
        is_last: with it the answer is whole, and remembered.
    """

    data: JSON | None
    is_chunk: bool = False
    is_last: bool = False

    def encode(self) -> bytes:
        if self.data is None:
            return b"data: [DONE]\n\n"
        name = f"event: {self.data['type']}\n" if "type" in self.data else ""
        return f"{name}data: {json.dumps(self.data, ensure_ascii=False)}\n\n".encode()


class Refused(Exception):
    """The provider declines a request; ``body`` is the error in its API's own shape."""

    def __init__(self, body: JSON, status: int = 400) -> None:
        super().__init__(body)
        self.body = body
        self.status = status


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored response, and all the input that led to it: its own, and its predecessors' input and output."""

    response: JSON
    items: Sequence[JSON]


@dataclass(slots=True)
class Memory:
    """What a provider knows from one request to the next."""

    responses: dict[str, Kept] = field(default_factory=dict)
    cached_prefixes: set[str] = field(default_factory=set)


class Api(Protocol):
    """What each module of an API offers."""

    def check(self, request: JSON, memory: Memory) -> None:
        """Raise ``Refused`` for what the real API refuses."""

    def whole(self, turn: Turn, request: JSON, memory: Memory) -> dict[str, Any]:
        """The answer as one JSON object."""

    def events(self, turn: Turn, answer: JSON, request: JSON) -> Iterator[Event]:
        """The same answer as a stream."""

    def remember(self, answer: JSON, request: JSON, memory: Memory) -> None:
        """Keep what later requests may refer to."""

    def error(self, status: int, message: str) -> dict[str, Any]:
        """An error in this API's shape."""


def new_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex}"


def fragments(text: str, count: int = 3) -> list[str]:
    """Cut a text into at most this many pieces, as arguments are streamed."""
    size = max(1, math.ceil(len(text) / count))
    return [text[start : start + size] for start in range(0, len(text), size)]


def kind(value: Any) -> str:
    """The JSON type of a value, as error messages call it."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "an integer"}
    return names.get(type(value), "null" if value is None else "a decimal number")
