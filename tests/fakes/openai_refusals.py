"""How OpenAI refuses a request: the words and the shape of its errors, and the rules that both its APIs share."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from tests.fakes.wire import JSON, Refused, kind

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def error(
    status: int, message: str, *, type_: str = "error", param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def refused(message: str, param: str | None = None, code: str | None = None, status: int = 400) -> Refused:
    return Refused(error(status, message, type_="invalid_request_error", param=param, code=code), status)


def missing(param: str) -> Refused:
    return refused(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")


def wrong_type(param: str, expected: str, value: Any) -> Refused:
    return refused(f"Invalid type for '{param}': expected {expected}, but got {kind(value)} instead.", param,
                   "invalid_type")  # fmt: skip


def wrong_value(param: str, value: Any, supported: Sequence[str]) -> Refused:
    words = [f"'{word}'" for word in supported]
    listed = f"{', '.join(words[:-1])}, and {words[-1]}" if len(words) > 1 else words[0]
    return refused(f"Invalid value: '{value}'. Supported values are: {listed}.", param, "invalid_value")


def empty_array(param: str) -> Refused:
    message = (
        f"Invalid '{param}': empty array. Expected an array with minimum length 1, but got an empty array instead."
    )
    return refused(message, param, "empty_array")


def check_string(value: Any, param: str) -> str:
    if value is None:
        raise missing(param)
    if not isinstance(value, str):
        raise wrong_type(param, "a string", value)
    return value


def check_function(function: JSON, param: str) -> str:
    """Check what declares a function; returns its name."""
    name = check_string(function.get("name"), f"{param}.name")
    if NAME.fullmatch(name) is None:
        pattern = "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        message = f"Invalid '{param}.name': string does not match pattern. {pattern}"
        raise refused(message, f"{param}.name", "invalid_value")
    schema = function.get("parameters")
    if schema is not None and not isinstance(schema, dict):
        raise wrong_type(f"{param}.parameters", "an object", schema)
    if schema and schema.get("type") != "object":
        got = f"got 'type: \"{schema.get('type')}\"'"
        message = f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"', {got}."
        raise refused(message, f"{param}.parameters", "invalid_function_parameters")
    return name


def check_tool_choice(choice: Any, names: Collection[str], chosen: Any) -> None:
    """``chosen`` is the function that a choice given as an object names, where this API puts it."""
    words = ("none", "auto", "required")
    if isinstance(choice, str):
        if choice not in words:
            raise wrong_value("tool_choice", choice, words)
    elif not isinstance(choice, dict):
        raise wrong_type("tool_choice", "one of an object or a string", choice)
    elif choice.get("type") != "function":
        raise wrong_value("tool_choice.type", choice.get("type"), ["function"])
    elif chosen not in names:
        message = (
            f"Invalid value for 'tool_choice': no function named '{chosen}' was specified in the 'tools' parameter."
        )
        raise refused(message, "tool_choice")
