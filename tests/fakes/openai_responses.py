"""OpenAI's Responses API, which keeps what was said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.fakes.openai_input_items import check_items, own_items
from tests.fakes.openai_refusals import (
    check_function,
    check_tool_choice,
    error,
    refused,
    wrong_type,
    wrong_value,
)
from tests.fakes.steps import Turn
from tests.fakes.wire import JSON, Event, Kept, Memory, fragments, new_id

__all__ = ["check", "delete", "error", "events", "input_items", "read", "remember", "whole"]

# What a response repeats of its request, and what it says when that was not given.
REPEATED = {
    "instructions": None, "max_output_tokens": None, "metadata": {}, "parallel_tool_calls": True,
    "previous_response_id": None, "reasoning": {"effort": None, "summary": None}, "store": True, "temperature": 1.0,
    "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": 1.0, "truncation": "disabled",
    "user": None,
}  # fmt: skip
MOVED = {"max_tokens": "max_output_tokens", "response_format": "text.format", "messages": "input"}


def whole(turn: Turn, request: JSON, _memory: Memory) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if turn.chunks or not turn.calls:
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": turn.text}
        message = {"id": new_id("msg"), "type": "message", "status": "completed", "role": "assistant"}
        output.append({**message, "content": [part]})
    output += [
        {
            "id": new_id("fc"),
            "type": "function_call",
            "status": "completed",
            "arguments": call.raw_arguments,
            "call_id": call.id or new_id("call"),
            "name": call.name,
        }
        for call in turn.calls
    ]
    repeated = {key: default if request.get(key) is None else request[key] for key, default in REPEATED.items()}
    return {
        "id": new_id("resp"), "object": "response", "created_at": 1, "status": "completed", "background": False,
        "error": None, "incomplete_details": None, "max_tool_calls": None, "model": request["model"],
        "output": output, "service_tier": "default", "top_logprobs": 0, "usage": _usage(turn), **repeated,
    }  # fmt: skip


def _usage(turn: Turn) -> dict[str, Any] | None:
    if turn.usage is None:
        return None
    return {
        "input_tokens": turn.usage.get("prompt_tokens", 0),
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": turn.usage.get("completion_tokens", 0),
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": turn.usage.get("total_tokens", 0),
    }


def events(turn: Turn, answer: JSON, _request: JSON) -> Iterator[Event]:
    for number, (kind, fields) in enumerate(_events(turn, answer)):
        data = {"type": f"response.{kind}", "sequence_number": number, **fields}
        yield Event(data, is_chunk=kind.endswith(".delta"), is_last=kind == "completed")


def _events(turn: Turn, answer: JSON) -> Iterator[tuple[str, dict[str, Any]]]:
    started = {**answer, "status": "in_progress", "output": [], "usage": None}
    yield "created", {"response": started}
    yield "in_progress", {"response": started}
    for index, item in enumerate(answer["output"]):
        is_message = item["type"] == "message"
        empty = {"content": []} if is_message else {"arguments": ""}
        yield "output_item.added", {"output_index": index, "item": {**item, **empty, "status": "in_progress"}}
        place = {"item_id": item["id"], "output_index": index}
        yield from _text_events(turn.chunks, item, place) if is_message else _call_events(item, place)
        yield "output_item.done", {"output_index": index, "item": item}
    yield "completed", {"response": answer}


def _text_events(chunks: Sequence[str], item: JSON, place: JSON) -> Iterator[tuple[str, dict[str, Any]]]:
    part = item["content"][0]
    place = {**place, "content_index": 0}
    yield "content_part.added", {**place, "part": {**part, "text": ""}}
    for text in chunks:
        yield "output_text.delta", {**place, "delta": text, "logprobs": []}
    yield "output_text.done", {**place, "text": part["text"], "logprobs": []}
    yield "content_part.done", {**place, "part": part}


def _call_events(item: JSON, place: JSON) -> Iterator[tuple[str, dict[str, Any]]]:
    for piece in fragments(item["arguments"]):
        yield "function_call_arguments.delta", {**place, "delta": piece}
    yield "function_call_arguments.done", {**place, "name": item["name"], "arguments": item["arguments"]}


def remember(answer: JSON, request: JSON, memory: Memory) -> None:
    if answer["store"]:
        memory.responses[answer["id"]] = Kept(answer, [*_history(request, memory), *own_items(request)])


def _history(request: JSON, memory: Memory) -> list[JSON]:
    """The input and output of the responses that this request continues."""
    previous = memory.responses.get(request.get("previous_response_id") or "")
    return [*previous.items, *previous.response["output"]] if previous else []


def read(response_id: str, memory: Memory) -> JSON:
    return _find(response_id, memory).response


def delete(response_id: str, memory: Memory) -> JSON:
    _find(response_id, memory)
    memory.responses.pop(response_id, None)
    return {"id": response_id, "object": "response", "deleted": True}


def input_items(response_id: str, query: JSON, memory: Memory) -> JSON:
    """A page of all that led to a response, the newest first unless asked otherwise."""
    items = list(_find(response_id, memory).items)
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise wrong_value("order", order, ["asc", "desc"])
    if order == "desc":
        items.reverse()
    limit = query.get("limit", "20")
    if not (limit.isdecimal() and 1 <= int(limit) <= 100):
        raise refused(f"Invalid 'limit': expected a value between 1 and 100, got {limit}.", "limit", "invalid_value")
    if "after" in query:
        ids = [item["id"] for item in items]
        if query["after"] not in ids:
            raise refused(f"Item with id '{query['after']}' not found.", "after", status=404)
        items = items[ids.index(query["after"]) + 1 :]
    page = items[: int(limit)]
    first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
    return {"object": "list", "data": page, "first_id": first, "last_id": last, "has_more": len(page) < len(items)}


def _find(response_id: str, memory: Memory) -> Kept:
    kept = memory.responses.get(response_id)
    if kept is None:
        raise refused(f"Response with id '{response_id}' not found.", status=404)
    return kept


def check(request: JSON, memory: Memory) -> None:
    if not request.get("model"):
        raise refused("you must provide a model parameter")
    for name, place in MOVED.items():
        if name in request:
            text = f"In the Responses API, this parameter has moved to '{place}'."
            raise refused(f"Unsupported parameter: '{name}'. {text}", name, "unsupported_parameter")
    if "include_usage" in (request.get("stream_options") or {}):
        param = "stream_options.include_usage"
        raise refused(f"Unknown parameter: '{param}'.", param, "unknown_parameter")
    instructions = request.get("instructions")
    if instructions is not None and not isinstance(instructions, str):
        raise wrong_type("instructions", "a string", instructions)
    previous = request.get("previous_response_id")
    if previous is not None and previous not in memory.responses:
        message = f"Previous response with id '{previous}' not found."
        raise refused(message, "previous_response_id", "previous_response_not_found")
    check_items(request, _history(request, memory))
    _check_tools(request)


def _check_tools(request: JSON) -> None:
    names = set()
    tools = request.get("tools") or []
    if not isinstance(tools, list):
        raise wrong_type("tools", "an array of objects", tools)
    for number, tool in enumerate(tools):
        if tool.get("type") == "mcp":
            for name in ("server_label", "server_url"):
                if not isinstance(tool.get(name), str):
                    raise wrong_type(f"tools[{number}].{name}", "a string", tool.get(name))
            continue
        if tool.get("type") != "function":
            raise wrong_value(f"tools[{number}].type", tool.get("type"), ["function", "mcp", "web_search"])
        names.add(check_function(tool, f"tools[{number}]"))
    choice = request.get("tool_choice")
    if choice is not None:
        if choice == "required" and not tools:
            raise refused("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
        check_tool_choice(choice, names, choice.get("name") if isinstance(choice, dict) else None)
