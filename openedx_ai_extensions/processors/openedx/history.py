"""The storage format of conversations: converts turns to messages in submissions of limited size, and back. No
queries.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from submissions.models import Submission

from openedx_ai_extensions.prompts.citations import Citation, moved, utf16_length
from openedx_ai_extensions.prompts.fences import without_fence_tags

FAILED, INTERRUPTED, REFUSED = "failed", "interrupted", "refused"
CUT_OFF = "cut_off"  # answered, but the answer was truncated
# Keys that are added for storage.
_BOOKKEEPING = ("turn", "attempt", "index")


@dataclass(frozen=True, slots=True)
class Turn:
    """A learner's message and the answer; a greeting has no question.

    Attributes:
        id: identifies the turn.
        messages: ``{"role", "content", "timestamp", "submission_id"}`` and, depending on the kind, ``status``,
            ``code`` (of the error that ended the turn, ``cancelled`` if the client disconnected), ``tool_calls``,
            ``tool_call_id``, ``name``, ``sent`` (the text that the model got in place of the content),
            ``finish_reason``, ``citations``, ``follow_ups``, ``run_id`` (of an answer), in order. A repeated turn has
            only its last answer.
        attempt: the number of attempts.
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
        """Empty if the turn is complete or under way, otherwise ``interrupted``, ``failed``, ``refused`` or
        ``cut_off``.
        """
        return str(self.messages[-1].get("status", ""))

    @property
    def is_answered(self) -> bool:
        return any(message["role"] == "assistant" and message["content"] for message in self.answer)

    def shown(self) -> list[dict[str, Any]]:
        """The turn as people read it: the question and one answer, with the texts of all its rounds."""
        shown = [dict(self.question)] if self.question else []
        if self.is_answered:
            last = self.messages[-1]
            content, citations = "", list[Citation]()
            for message in self.answer:
                if message["role"] == "assistant" and message["content"]:
                    content += "\n\n" if content else ""
                    citations += moved(message.get("citations", ()), utf16_length(content))
                    content += message["content"]
            shown.append({**last, "role": "assistant", "content": content, "citations": citations})
        elif shown and self.status:
            last = self.messages[-1]
            shown[0] |= {name: last[name] for name in ("status", "code") if name in last}
        return [_shown(message) for message in shown]


def _shown(message: Mapping[str, Any]) -> dict[str, Any]:
    names = ("role", "content", "timestamp", "submission_id", "status", "code", "finish_reason", "run_id", "citations",
             "follow_ups")  # fmt: skip
    return {name: message[name] for name in names if message.get(name)}


def stored(turn: str, attempt: int, start: int, messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages with the keys for storage; ``start`` is the position of the first one in the turn."""
    return [
        {**message, "turn": turn, "attempt": attempt, "index": index} for index, message in enumerate(messages, start)
    ]


def submissions(messages: Sequence[Mapping[str, Any]], limit: int) -> Iterator[list[dict[str, Any]]]:
    """Split messages into submissions of at most ``limit`` characters of JSON.

    A message that is too long becomes several pieces ``{"turn", "attempt", "index", "piece", "pieces", "json"}``.
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
    # In nested JSON, each backslash and quote takes two characters; the frame takes the rest.
    length = (limit - 300) // 2
    texts = [whole[start : start + length] for start in range(0, len(whole), length)]
    frame = {name: message[name] for name in _BOOKKEEPING}
    return [{**frame, "piece": number, "pieces": len(texts), "json": text} for number, text in enumerate(texts)]


@dataclass(slots=True)
class _Draft:
    """A turn that is being assembled: its messages by attempt and position."""

    messages: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    pieces: dict[tuple[int, int], dict[int, str]] = field(default_factory=dict)

    def add(self, part: Mapping[str, Any], submission: Submission) -> None:
        place = (part["attempt"], part["index"])
        message: Mapping[str, Any] = part
        if "json" in part:
            pieces = self.pieces.setdefault(place, {})
            pieces[part["piece"]] = part["json"]
            if len(pieces) < part["pieces"]:
                return
            message = json.loads("".join(text for _number, text in sorted(pieces.items())))
        plain = {name: value for name, value in message.items() if name not in _BOOKKEEPING}
        if plain["role"] == "assistant" and plain["content"]:
            plain["content"] = without_fence_tags(plain["content"])  # of answers that were stored with them
        self.messages[place] = {**plain, "submission_id": str(submission.uuid)}

    def turn(self, turn_id: str) -> Turn | None:
        """The turn; None if its beginning was not read."""
        if not any(index == 0 for _attempt, index in self.messages):
            return None
        last = max(attempt for attempt, _index in self.messages)
        # A partial answer that was shown is kept until another attempt brings more.
        spoken = [a for (a, _index), m in self.messages.items() if m["role"] == "assistant" and m["content"]]
        shown = max(spoken, default=last)
        kept = [m for (attempt, index), m in sorted(self.messages.items()) if index == 0 or attempt == shown]
        return Turn(turn_id, kept, last)


def turns(found: Iterable[Submission], *, overdue: datetime) -> list[Turn]:
    """The turns in submissions, which are given oldest first; turns without their beginning are omitted.

    A question from before ``overdue`` without an answer counts as failed, because its run cannot be under way any more.
    """
    drafts: dict[str, _Draft] = {}
    for submission in found:
        for part in submission.answer:
            drafts.setdefault(part["turn"], _Draft()).add(part, submission)
    built = (draft.turn(turn_id) for turn_id, draft in drafts.items())
    return [_marked(turn, overdue) for turn in built if turn is not None]


def _marked(turn: Turn, overdue: datetime) -> Turn:
    question = turn.question
    if turn.answer or question is None or datetime.fromisoformat(question["timestamp"]) > overdue:
        return turn
    return replace(turn, messages=[{**question, "status": FAILED}])


def window(found: Sequence[Turn], size: int) -> list[Mapping[str, Any]]:
    """The last answered turns as messages for a model: at most ``size`` shown messages, but at least one turn."""
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
