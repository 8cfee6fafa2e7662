"""A conversation as it is stored: turns, as messages, as submissions of limited size, and back. No database here."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

FAILED, INTERRUPTED, REFUSED = "failed", "interrupted", "refused"
CUT_OFF = "cut_off"  # answered, but the model or its provider stopped before the end
# What belongs to the storage; the rest of a stored message is the message.
_BOOKKEEPING = ("turn", "attempt", "index")


@dataclass(frozen=True, slots=True)
class Turn:
    """What a learner said and what came back; a greeting has no question.

    Attributes:
        id: names the turn.
        messages: ``{"role", "content", "timestamp", "submission_id"}`` and, by kind, ``status``, ``tool_calls``,
            ``tool_call_id``, ``name``, ``sent`` (what the model got in place of the content), ``finish_reason``, in
            order. A turn that was tried again has its last answer only.
        attempt: how often it was tried.
    """

    id: str
    messages: Sequence[Mapping[str, Any]]
    attempt: int = 1

    @property
    def question(self) -> Mapping[str, Any] | None:
        first = self.messages[0]
        return first if first["role"] == "user" else None

    @property
    def answer(self) -> Sequence[Mapping[str, Any]]:
        return self.messages[1:] if self.question else self.messages

    @property
    def status(self) -> str:
        """Empty when it ended well or is not over, else ``interrupted``, ``failed``, ``refused`` or ``cut_off``."""
        return str(self.messages[-1].get("status", ""))

    @property
    def is_answered(self) -> bool:
        return any(message["role"] == "assistant" and message["content"] for message in self.answer)

    def shown(self) -> list[dict[str, Any]]:
        """The turn as a person reads it: the question and one answer, with the texts of all its rounds."""
        shown = [dict(self.question)] if self.question else []
        if self.is_answered:
            last = self.messages[-1]
            texts = [m["content"] for m in self.answer if m["role"] == "assistant" and m["content"]]
            shown.append({**last, "role": "assistant", "content": "\n\n".join(texts)})
        elif shown and self.status:
            shown[0]["status"] = self.status
        return [_shown(message) for message in shown]


def _shown(message: Mapping[str, Any]) -> dict[str, Any]:
    names = ("role", "content", "timestamp", "submission_id", "status", "finish_reason")
    return {name: message[name] for name in names if message.get(name)}


def stored(turn: str, attempt: int, start: int, messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages with what it takes to put them together again; ``start`` is the first one's place in the turn."""
    return [
        {**message, "turn": turn, "attempt": attempt, "index": index} for index, message in enumerate(messages, start)
    ]


def submissions(messages: Sequence[Mapping[str, Any]], limit: int) -> Iterator[list[dict[str, Any]]]:
    """The messages as answers of submissions, each at most ``limit`` characters of JSON.

    A message too long for one becomes several pieces ``{"turn", "attempt", "index", "piece", "pieces", "json"}``.
    """
    answer: list[dict[str, Any]] = []
    size = 2
    for message in messages:
        for part in _parts(message, limit):
            length = len(json.dumps(part)) + 2
            if answer and size + length > limit:
                yield answer
                answer, size = [], 2
            answer.append(part)
            size += length
    if answer:
        yield answer


def _parts(message: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
    whole = json.dumps(message)
    if len(whole) + 2 <= limit:
        return [dict(message)]
    # Inside another JSON text each backslash and quote takes two characters; the frame takes the rest.
    length = (limit - 300) // 2
    texts = [whole[start : start + length] for start in range(0, len(whole), length)]
    frame = {name: message[name] for name in _BOOKKEEPING}
    return [{**frame, "piece": number, "pieces": len(texts), "json": text} for number, text in enumerate(texts)]


@dataclass(slots=True)
class _Draft:
    """A turn being put together: its messages by attempt and place."""

    messages: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    pieces: dict[tuple[int, int], dict[int, str]] = field(default_factory=dict)

    def add(self, part: Mapping[str, Any], submission: Mapping[str, Any]) -> None:
        place = (part["attempt"], part["index"])
        message: Mapping[str, Any] = part
        if "json" in part:
            pieces = self.pieces.setdefault(place, {})
            pieces[part["piece"]] = part["json"]
            if len(pieces) < part["pieces"]:
                return
            message = json.loads("".join(text for _number, text in sorted(pieces.items())))
        plain = {name: value for name, value in message.items() if name not in _BOOKKEEPING}
        self.messages[place] = {**plain, "submission_id": submission["uuid"]}

    def turn(self, turn_id: str) -> Turn | None:
        """None when its beginning has not been read."""
        if not any(index == 0 for _attempt, index in self.messages):
            return None
        last = max(attempt for attempt, _index in self.messages)
        # What was seen of an answer stays until another try brings more.
        spoken = [a for (a, _index), m in self.messages.items() if m["role"] == "assistant" and m["content"]]
        shown = max(spoken, default=last)
        kept = [m for (attempt, index), m in sorted(self.messages.items()) if index == 0 or attempt == shown]
        return Turn(turn_id, kept, last)


def turns(found: Iterable[Mapping[str, Any]], *, overdue: datetime) -> list[Turn]:
    """The turns in submissions that are given oldest first; those whose beginning is missing are left out.

    A question from before ``overdue`` that nothing came back to counts as failed: whatever was at work on it is gone.
    """
    drafts: dict[str, _Draft] = {}
    for submission in found:
        for part in submission["answer"]:
            drafts.setdefault(part["turn"], _Draft()).add(part, submission)
    built = (draft.turn(turn_id) for turn_id, draft in drafts.items())
    return [_marked(turn, overdue) for turn in built if turn is not None]


def _marked(turn: Turn, overdue: datetime) -> Turn:
    question = turn.question
    if turn.answer or question is None or datetime.fromisoformat(question["timestamp"]) > overdue:
        return turn
    return replace(turn, messages=[{**question, "status": FAILED}])


def window(found: Sequence[Turn], size: int) -> list[Mapping[str, Any]]:
    """The last answered turns as messages for a model: as many as make up ``size`` shown messages, at least one."""
    chosen: list[Turn] = []
    shown = 0
    for turn in reversed(found):
        if not turn.is_answered:
            continue
        shown += len(turn.shown())
        if chosen and shown > size:
            break
        chosen.append(turn)
    return [message for turn in reversed(chosen) for message in turn.messages]


def new_turn_id() -> str:
    return uuid.uuid4().hex
