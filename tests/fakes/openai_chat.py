"""OpenAI's chat completions, which most other providers speak too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.fakes.openai_refusals import (
    check_function,
    check_string,
    check_tool_choice,
    empty_array,
    error,
    missing,
    refused,
    wrong_type,
    wrong_value,
)
from tests.fakes.steps import Turn
from tests.fakes.wire import JSON, Event, Memory, fragments, new_id

__all__ = ["check", "error", "events", "remember", "whole"]

ROLES = ("system", "assistant", "user", "function", "tool", "developer")


def whole(turn: Turn, request: JSON, _memory: Memory) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.text}
    if turn.calls:
        message["content"] = turn.text or None
        message["tool_calls"] = [
            {
                "id": call.id or new_id("call"),
                "type": "function",
                "function": {"name": call.name, "arguments": call.raw_arguments},
            }
            for call in turn.calls
        ]
    reason = "tool_calls" if turn.calls else "stop"
    return {
        "id": "chatcmpl-fake", "object": "chat.completion", "created": 1, "model": request.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": turn.usage,
    }  # fmt: skip


def events(turn: Turn, answer: JSON, request: JSON) -> Iterator[Event]:
    chunk = {key: answer[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    choice = answer["choices"][0]
    role = {"role": "assistant"}
    for delta in _deltas(turn, choice["message"]):
        yield Event({**chunk, "choices": [{"index": 0, "delta": role | delta, "finish_reason": None}]}, is_chunk=True)
        role = {}
    yield Event({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    if (request.get("stream_options") or {}).get("include_usage") and turn.usage is not None:
        yield Event({**chunk, "choices": [], "usage": dict(turn.usage)})
    yield Event(None, is_last=True)


def _deltas(turn: Turn, message: JSON) -> Iterator[dict[str, Any]]:
    for text in turn.chunks:
        yield {"content": text}
    for index, call in enumerate(message.get("tool_calls", [])):
        yield {"tool_calls": [{**call, "index": index, "function": {**call["function"], "arguments": ""}}]}
        for piece in fragments(call["function"]["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def remember(_answer: JSON, _request: JSON, _memory: Memory) -> None:
    """This API has no memory."""


def check(request: JSON, _memory: Memory) -> None:
    messages = request.get("messages")
    if messages is None:
        raise missing("messages")
    if not isinstance(messages, list):
        raise wrong_type("messages", "an array of objects", messages)
    if not messages:
        raise empty_array("messages")
    for number, message in enumerate(messages):
        _check_message(message, f"messages[{number}]")
    _check_pairs(messages)
    _check_tools(request)


def _check_message(message: JSON, path: str) -> None:
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        raise wrong_value(f"{path}.role", role, ROLES)
    calls = message.get("tool_calls")
    if content is None and not (role == "assistant" and calls):
        raise refused("Invalid value for 'content': expected a string, got null.", f"{path}.content")
    if content is not None and not isinstance(content, str | list):
        raise wrong_type(f"{path}.content", "one of a string or array of objects", content)
    if content == []:
        raise empty_array(f"{path}.content")
    for number, part in enumerate(content if isinstance(content, list) else []):
        if not isinstance(part, dict) or "type" not in part:
            raise missing(f"{path}.content[{number}].type")
    if role == "tool":
        check_string(message.get("tool_call_id"), f"{path}.tool_call_id")
    if calls is not None and not calls:
        raise empty_array(f"{path}.tool_calls")
    for number, call in enumerate(calls or []):
        function = call.get("function") or {}
        check_string(call.get("id"), f"{path}.tool_calls[{number}].id")
        check_string(call.get("type"), f"{path}.tool_calls[{number}].type")
        check_string(function.get("name"), f"{path}.tool_calls[{number}].function.name")
        check_string(function.get("arguments"), f"{path}.tool_calls[{number}].function.arguments")


def _check_pairs(messages: list[JSON]) -> None:
    """Results follow their calls at once, and each call has one."""
    waiting: set[str] = set()
    for number, message in enumerate([*messages, {"role": "end"}]):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                text = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                raise refused(f"Invalid parameter: {text}", f"messages.[{number}].role")
            waiting.remove(message["tool_call_id"])
        elif waiting:
            text = "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            left = f"The following tool_call_ids did not have response messages: {', '.join(sorted(waiting))}"
            raise refused(f"{text} 'tool_call_id'. {left}", f"messages.[{number}].role")
        else:
            waiting = {call["id"] for call in message.get("tool_calls") or []}


def _check_tools(request: JSON) -> None:
    tools = request.get("tools")
    if tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if request.get(name) is not None:
                text = f"'{name}' is only allowed when 'tools' are specified."
                raise refused(f"Invalid value for '{name}': {text}", name)
        return
    if not tools:
        raise empty_array("tools")
    names = set()
    for number, tool in enumerate(tools):
        if tool.get("type") != "function":
            raise wrong_value(f"tools[{number}].type", tool.get("type"), ["function", "custom"])
        if not isinstance(tool.get("function"), dict):
            raise missing(f"tools[{number}].function")
        names.add(check_function(tool["function"], f"tools[{number}].function"))
    choice = request.get("tool_choice")
    if choice is not None:
        chosen = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
        check_tool_choice(choice, names, chosen)
