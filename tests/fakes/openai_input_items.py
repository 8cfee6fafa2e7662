"""What goes into OpenAI's Responses API: the items of ``input``, how they are kept, and when they are refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.fakes.openai_refusals import check_string, missing, refused, wrong_type, wrong_value
from tests.fakes.wire import JSON, new_id

TYPES = ("message", "function_call", "function_call_output", "reasoning")
ROLES = ("assistant", "system", "developer", "user")
SAID = ("output_text", "refusal")
HEARD = ("input_text", "input_image", "input_file")
ID_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


def own_items(request: JSON) -> list[JSON]:
    """The items of this request as they are kept: each with an id, and texts as lists of parts."""
    given = request.get("input") or []
    return [_kept(item) for item in ([{"role": "user", "content": given}] if isinstance(given, str) else given)]


def _kept(item: JSON) -> dict[str, Any]:
    type_ = item.get("type", "message")
    kept = {"id": new_id(ID_PREFIXES[type_]), "type": type_, "status": "completed", **item}
    if type_ == "message" and isinstance(item["content"], str):
        is_said = item["role"] == "assistant"
        part = {"type": "output_text" if is_said else "input_text", "text": item["content"]}
        kept["content"] = [part | ({"annotations": []} if is_said else {})]
    return kept


def check_items(request: JSON, history: Sequence[JSON]) -> None:
    given = request.get("input")
    if given is None or (given == [] and not history):
        message = "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided."
        raise refused(message, "input", "missing_required_parameter")
    if isinstance(given, str):
        items = [{"role": "user", "content": given}]
    elif isinstance(given, list):
        items = given
    else:
        raise wrong_type("input", "one of a string or an array of input items", given)
    for number, item in enumerate(items):
        _check_item(item, f"input[{number}]")
    _check_pairs([*history, *items])


def _check_item(item: Any, path: str) -> None:
    if not isinstance(item, dict):
        raise wrong_type(path, "an input item", item)
    type_ = item.get("type", "message")
    if type_ not in TYPES:
        raise wrong_value(path, type_, TYPES)
    if type_ == "message":
        _check_message(item, path)
    elif type_ == "function_call":
        for name in ("call_id", "name", "arguments"):
            check_string(item.get(name), f"{path}.{name}")
    elif type_ == "function_call_output":
        check_string(item.get("call_id"), f"{path}.call_id")
        if not isinstance(item.get("output"), str | list):
            raise wrong_type(f"{path}.output", "one of an array of objects or string", item.get("output"))


def _check_message(item: JSON, path: str) -> None:
    role, content = item.get("role"), item.get("content")
    if role not in ROLES:
        raise wrong_value(f"{path}.role" if role else path, role, ROLES)
    if content is None:
        raise missing(f"{path}.content")
    if not isinstance(content, str | list):
        raise wrong_type(f"{path}.content", "one of an array of objects or string", content)
    supported = SAID if role == "assistant" else HEARD
    for number, part in enumerate(content if isinstance(content, list) else []):
        if part.get("type") not in supported:
            raise wrong_value(f"{path}.content[{number}]", part.get("type"), supported)


def _check_pairs(items: Sequence[JSON]) -> None:
    """Each result has a call before it, and each call a result."""
    waiting: list[str] = []
    called: set[str] = set()
    for item in items:
        if item.get("type") == "function_call":
            waiting.append(item["call_id"])
            called.add(item["call_id"])
        elif item.get("type") == "function_call_output":
            if item["call_id"] not in called:
                message = f"No tool call found for function call output with call_id {item['call_id']}."
                raise refused(message, "input")
            waiting = [call_id for call_id in waiting if call_id != item["call_id"]]
    if waiting:
        raise refused(f"No tool output found for function call {waiting[0]}.", "input")
