"""Anthropic's Messages API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.fakes.steps import ToolCall, Turn
from tests.fakes.wire import JSON, Event, Memory, Refused, fragments, new_id

CACHED_TOKENS = 1024  # the least that Anthropic caches
MAX_CACHE_MARKS = 4
TOOL_CHOICES = ("auto", "any", "tool", "none")
ERROR_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error",
}  # fmt: skip


def error(status: int, message: str) -> dict[str, Any]:
    detail = {"type": ERROR_TYPES.get(status, "api_error"), "message": message}
    return {"type": "error", "error": detail, "request_id": new_id("req")}


def whole(turn: Turn, request: JSON, memory: Memory) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": turn.text}] if turn.text else []
    content += [
        {"type": "tool_use", "id": call.id or new_id("toolu"), "name": call.name, "input": _input(call)}
        for call in turn.calls
    ]
    return {
        "id": new_id("msg"), "type": "message", "role": "assistant", "model": request["model"], "content": content,
        "stop_reason": "tool_use" if turn.calls else "end_turn", "stop_sequence": None,
        "usage": _usage(turn, request, memory),
    }  # fmt: skip


def _input(call: ToolCall) -> JSON:
    """The arguments as the object that this API always gives; what is none is wrapped in one."""
    try:
        arguments = json.loads(call.raw_arguments)
    except ValueError:
        arguments = None
    return arguments if isinstance(arguments, dict) else {"INVALID_JSON": call.raw_arguments}


def _usage(turn: Turn, request: JSON, memory: Memory) -> dict[str, Any]:
    prefixes = _marked_prefixes(request)
    is_cached = any(prefix in memory.cached_prefixes for prefix in prefixes)
    usage = turn.usage or {}
    return {
        "input_tokens": usage.get("prompt_tokens", 0),
        "cache_creation_input_tokens": CACHED_TOKENS if prefixes and not is_cached else 0,
        "cache_read_input_tokens": CACHED_TOKENS if is_cached else 0,
        "output_tokens": usage.get("completion_tokens", 0),
    }


def remember(_answer: JSON, request: JSON, memory: Memory) -> None:
    memory.cached_prefixes.update(_marked_prefixes(request))


def _marked_prefixes(request: JSON) -> list[str]:
    """The request up to each mark: what the prompt cache is looked up by."""
    prefixes, seen = [], ""
    for block in _blocks(request):
        seen += json.dumps({key: value for key, value in block.items() if key != "cache_control"}, sort_keys=True)
        if block.get("cache_control"):
            prefixes.append(seen)
    return prefixes


def _blocks(request: JSON) -> Iterator[JSON]:
    yield from request.get("tools") or []
    yield from _content(request.get("system") or [])
    for message in request["messages"]:
        yield from _content(message["content"])


def _content(content: Any) -> Sequence[JSON]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def events(turn: Turn, answer: JSON, _request: JSON) -> Iterator[Event]:
    usage = answer["usage"]
    start = {**answer, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield Event({"type": "message_start", "message": start})
    calls = iter(turn.calls)
    for index, block in enumerate(answer["content"]):
        is_text = block["type"] == "text"
        yield Event({
            "type": "content_block_start", "index": index,
            "content_block": {"type": "text", "text": ""} if is_text else {**block, "input": {}},
        })  # fmt: skip
        if index == 0:
            yield Event({"type": "ping"})
        deltas = _text_deltas(turn) if is_text else _input_deltas(next(calls))
        for delta in deltas:
            yield Event({"type": "content_block_delta", "index": index, "delta": delta}, is_chunk=True)
        yield Event({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    yield Event({"type": "message_delta", "delta": stop, "usage": {"output_tokens": usage["output_tokens"]}})
    yield Event({"type": "message_stop"}, is_last=True)


def _text_deltas(turn: Turn) -> Iterator[JSON]:
    for text in turn.chunks:
        yield {"type": "text_delta", "text": text}


def _input_deltas(call: ToolCall) -> Iterator[JSON]:
    # The first is always empty, and the only one when a tool takes no arguments.
    pieces = [] if call.raw_arguments == "{}" else fragments(call.raw_arguments)
    for piece in ["", *pieces]:
        yield {"type": "input_json_delta", "partial_json": piece}


def _refused(message: str) -> Refused:
    return Refused(error(400, message))


def check(request: JSON, _memory: Memory) -> None:
    for name in ("model", "max_tokens", "messages"):
        if request.get(name) is None:
            raise _refused(f"{name}: Field required")
    messages = request["messages"]
    if not isinstance(messages, list):
        raise _refused("messages: Input should be a valid list")
    if not messages:
        raise _refused("messages: at least one message is required")
    for number, message in enumerate(messages):
        _check_message(message, f"messages.{number}", is_last=number == len(messages) - 1)
    if messages[0]["role"] != "user":
        raise _refused('messages: first message must use the "user" role')
    _check_system(request.get("system"))
    _check_tools(request)
    _check_pairs(_merged(messages), has_tools=bool(request.get("tools")))
    marks = sum(bool(block.get("cache_control")) for block in _blocks(request))
    if marks > MAX_CACHE_MARKS:
        raise _refused(f"A maximum of {MAX_CACHE_MARKS} blocks with cache_control may be provided. Found {marks}.")


def _check_message(message: JSON, path: str, *, is_last: bool) -> None:
    role, content = message.get("role"), message.get("content")
    if role not in ("user", "assistant"):
        allowed = 'Allowed roles are "user" or "assistant".'
        raise _refused(f'messages: Unexpected role "{role}". {allowed}')
    if not isinstance(content, str | list):
        raise _refused(f"{path}.content: Input should be a valid list")
    if not content and not (is_last and role == "assistant"):
        raise _refused(
            f"{path}: all messages must have non-empty content except for the optional final assistant message"
        )
    _check_texts(_content(content), "messages")
    if is_last and role == "assistant" and content:
        last = _content(content)[-1]
        if last.get("type") == "text" and last["text"] != last["text"].rstrip():
            raise _refused("messages: final assistant content cannot end with trailing whitespace")


def _check_system(system: Any) -> None:
    if system is not None and not isinstance(system, str | list):
        raise _refused("system: Input should be a valid list")
    if isinstance(system, list):
        _check_texts(system, "system")


def _check_texts(blocks: Sequence[JSON], path: str) -> None:
    for block in blocks:
        if block.get("type") == "text" and not block.get("text"):
            raise _refused(f"{path}: text content blocks must be non-empty")
        if block.get("type") == "text" and not block["text"].strip():
            raise _refused(f"{path}: text content blocks must contain non-whitespace text")


def _check_tools(request: JSON) -> None:
    tools, choice = request.get("tools") or [], request.get("tool_choice")
    for number, tool in enumerate(tools):
        for name in ("name", "input_schema"):
            if not tool.get(name):
                raise _refused(f"tools.{number}.custom.{name}: Field required")
        if tool["input_schema"].get("type") != "object":
            raise _refused(f"tools.{number}.custom.input_schema.type: Input should be 'object'")
    if choice is None:
        return
    if not tools:
        raise _refused("tool_choice: tool_choice may only be specified while providing tools")
    if not isinstance(choice, dict) or choice.get("type") not in TOOL_CHOICES:
        tags = ", ".join(f"'{tag}'" for tag in TOOL_CHOICES)
        raise _refused(f"tool_choice: Input tag found using 'type' does not match any of the expected tags: {tags}")
    if choice["type"] == "tool" and choice.get("name") not in {tool["name"] for tool in tools}:
        raise _refused(f"Tool '{choice.get('name')}' not found in provided tools")


def _merged(messages: Sequence[JSON]) -> list[tuple[str, list[JSON]]]:
    """Neighbours of one role are one turn, so that roles take turns."""
    merged: list[tuple[str, list[JSON]]] = []
    for message in messages:
        if not merged or merged[-1][0] != message["role"]:
            merged.append((message["role"], []))
        merged[-1][1].extend(_content(message["content"]))
    return merged


def _check_pairs(turns: Sequence[tuple[str, Sequence[JSON]]], *, has_tools: bool) -> None:
    """Results open the turn after their calls, and each call has one."""
    waiting: list[str] = []
    for number, (_role, blocks) in enumerate([*turns, ("end", [])]):
        results = [block for block in blocks if block.get("type") == "tool_result"]
        calls = [block["id"] for block in blocks if block.get("type") == "tool_use"]
        for place, block in enumerate(results):
            if block.get("tool_use_id") not in waiting:
                raise _refused(
                    f"messages.{number}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block.get('tool_use_id')}. Each `tool_result` block must have a corresponding `tool_use` block "
                    "in the previous message."
                )
        first = {block.get("tool_use_id") for block in blocks[: len(results)]}
        unanswered = [call for call in waiting if call not in first]
        if unanswered:
            raise _refused(
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(unanswered)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        if (calls or results) and not has_tools:
            raise _refused("Requests which have `tool_use` or `tool_result` blocks in `messages` must define any tools")
        waiting = calls
