"""The complete conversation of a session: as stored here, as stored by the provider, and both merged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from openedx_ai_extensions.core.hooks import provides
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.processors import LLMProcessor, SubmissionProcessor
from openedx_ai_extensions.processors.llm import unfenced
from openedx_ai_extensions.prompts.fences import without_fence_tags

MAX_SECONDS = datetime(3000, 1, 1, tzinfo=UTC).timestamp()
LOCAL, REMOTE, BOTH = "local", "remote", "both"


@provides("local_thread")
def local_thread(session: AIWorkflowSession) -> list[dict[str, Any]] | None:
    """Implements ``AIWorkflowSession.get_local_thread``."""
    turns = SubmissionProcessor(session.profile.processor_config, session).everything()
    return [dict(message) for turn in turns for message in turn.messages] or None


@provides("remote_thread")
def remote_thread(session: AIWorkflowSession) -> list[dict[str, Any]] | None:
    """Implements ``AIWorkflowSession.get_remote_thread``."""
    if not session.remote_response_id:
        return None
    return LLMProcessor(session.profile.processor_config, user_session=session).fetch_thread(session.remote_response_id)


@provides("combined_thread")
def combined_thread(session: AIWorkflowSession) -> list[dict[str, Any]] | None:
    """Implements ``AIWorkflowSession.get_combined_thread``."""
    local, remote = local_thread(session), remote_thread(session)
    if local is None and remote is None:
        return None
    return _merged(list(remote_entries(remote or ())), [piece for message in local or () for piece in _pieces(message)])


def _pieces(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Split a message into the provider's items: its text, and each call separately."""
    calls = message.get("tool_calls") or ()
    if message["content"] or not calls:
        yield {name: value for name, value in message.items() if name != "tool_calls"}
    for call in calls:
        yield {**message, "content": "", "tool_calls": [call]}


def _merged(remote: list[dict[str, Any]], local: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The remote entries with the fields of equal local messages added, plus the remaining local ones in order of time.

    Equal messages are matched from the end: a restarted thread contains the latest ones.
    """
    merged: list[dict[str, Any]] = []
    rest = [{**message, "source": LOCAL} for message in local]
    for entry in reversed(remote):
        place = next((i for i in range(len(rest) - 1, -1, -1) if _identity(rest[i]) == _identity(entry)), None)
        if place is None:
            merged.append(entry)
            continue
        # Local messages after it that were not matched exist only locally.
        merged += reversed(rest[place + 1 :])
        merged.append({**entry, **_without_empty(rest[place]), "source": BOTH})
        rest = rest[:place]
    merged += reversed(rest)
    return _in_time(merged[::-1])


def _in_time(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort the entries by time, stably. An entry without a time gets the time of the previous one."""
    time = ""
    keyed = []
    for entry in entries:
        time = max(time, entry.get("timestamp") or "")
        keyed.append((entry.get("timestamp") or time, entry))
    return [entry for _time, entry in sorted(keyed, key=lambda pair: pair[0])]


def _identity(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Messages with the same identity are equal. Calls and results are identified by the provider's call id."""
    calls = tuple(call["id"] for call in entry.get("tool_calls") or ())
    if entry.get("tool_call_id") or calls:
        return (entry["role"], entry.get("tool_call_id"), calls)
    return (entry["role"], (entry.get("sent") or entry.get("content") or "").strip())


def _without_empty(message: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if value not in ("", None)}


def remote_entries(responses: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Convert responses to messages in the form of ``get_remote_thread``.

    Each item appears once: the input of a response repeats everything before it.
    """
    seen: set[Any] = set()
    for response in responses:
        if response.get("error") and "output" not in response:
            yield {"role": "system", "type": "error", "content": response["error"]["message"], "source": REMOTE,
                   "response_id": response["id"], "code": response["error"]["code"]}  # fmt: skip
            continue
        about = {"response_id": response["id"], "source": REMOTE}
        answered = _timestamp(response.get("created_at"))
        instructions = response.get("instructions")
        if isinstance(instructions, str) and instructions and ("instructions", instructions) not in seen:
            seen.add(("instructions", instructions))
            yield {"role": "system", "content": instructions, "timestamp": answered, **about}
        for item in [*_items(response.get("input")), *_items(response.get("output"))]:
            key = str(item.get("id") or "") or json.dumps(item, sort_keys=True, default=str)
            if key not in seen:
                seen.add(key)
                yield {**_entry(item), "timestamp": answered, **about}


def _items(value: Any) -> Iterator[Mapping[str, Any]]:
    """The items in a provider's field. A value that is not an item is converted to one with the value as text."""
    for item in value if isinstance(value, list | tuple) else ():
        yield item if isinstance(item, Mapping) else {"content": str(item)}


def _entry(item: Mapping[str, Any]) -> dict[str, Any]:
    """Convert an item of the Responses API to a chat message."""
    kind = item.get("type") or "message"
    if kind == "function_call":
        call = {
            "id": item.get("call_id"),
            "type": "function",
            "function": {"name": item.get("name"), "arguments": item.get("arguments")},
        }
        return {"role": "assistant", "content": "", "tool_calls": [call]}
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": unfenced(str(item.get("output") or ""))}
    if kind == "message":
        role, text = str(item.get("role") or "assistant"), _text(item.get("content"))
        return {"role": role, "content": without_fence_tags(text) if role == "assistant" else unfenced(text)}
    return {"role": "assistant", "type": kind, "content": _text(item.get("summary") or item.get("output"))}


def _text(content: Any) -> str:
    """The text of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        return "" if content is None else str(content)
    return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))


def _timestamp(seconds: Any) -> str:
    """A provider's time; empty for one that no calendar has, or not in every time zone."""
    is_time = isinstance(seconds, int | float) and 0 <= seconds < MAX_SECONDS
    return datetime.fromtimestamp(seconds, UTC).isoformat() if is_time else ""
