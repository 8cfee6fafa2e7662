"""Tool calls of a model: joined from fragments, and normalised so that every provider accepts them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.http_responses import BodyTooLong
from openedx_ai_extensions.core.portable import replace_surrogates

# Characters that providers do not accept in a tool's name (OpenAI) or a call's id (Anthropic).
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
MAX_NAME_CHARS = 64
MAX_CALLS_PER_ANSWER = 128  # all calls are stored, and sent again with the next messages


@dataclass(slots=True)
class ToolCall:
    """A tool call of a model.

    Attributes:
        id: the provider's id, which the result must repeat.
        name: the tool's name, as the model wrote it.
        arguments: JSON as the model wrote it, possibly invalid.
        extra: the provider's own fields, such as a signature, which must be returned within the turn.
        index: the provider's number of the call.
    """

    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    index: Any = None

    def as_dict(self) -> dict[str, Any]:
        """The call in OpenAI's chat format, valid for every provider: without ``extra``."""
        return sendable_call(
            {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}
        )


def sendable_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """Normalise a call of the history for all providers.

    A model may be cut off in its arguments, or invent a name. Some providers refuse the whole conversation then, so
    arguments that are not a JSON object become ``{}``, and invalid characters in names and ids are replaced.
    """
    function = call["function"]
    arguments = parsed_arguments(function.get("arguments"))
    return {
        **call,
        "id": sendable_id(call.get("id")),
        "function": {
            **function,
            "name": _NOT_IN_NAMES.sub("_", str(function.get("name") or ""))[:MAX_NAME_CHARS] or "unknown",
            "arguments": "{}" if arguments is None else json.dumps(arguments, ensure_ascii=False),
        },
    }


def sendable_id(call_id: Any) -> str:
    return _NOT_IN_NAMES.sub("_", str(call_id or ""))


def parsed_arguments(arguments: Any) -> dict[str, Any] | None:
    """The arguments as a dictionary; None if they are not a JSON object that can be sent."""
    try:
        parsed = json.loads(arguments) if arguments else {}
        json.dumps(parsed, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return replace_surrogates(parsed) if isinstance(parsed, dict) else None


class CallParts:
    """The tool calls of one answer, which may arrive in fragments."""

    def __init__(self) -> None:
        self._calls: list[ToolCall] = []
        self._length = 0

    def add(self, index: Any, call_id: str, name: str, arguments: Any, extra: Any, *, is_whole: bool = False) -> None:
        """Add a call, or a fragment of one.

        Some servers number every call 0. Then a new call starts with a different id; or, without ids, with a name, if
        the current call has a name and either complete arguments, or none and a different name.

        Raises:
            BodyTooLong: there are too many calls, or they are longer than an answer's text may be.
        """
        call = None if is_whole else next((call for call in reversed(self._calls) if call.index == index), None)
        if call is None or _begins_another(call, call_id, name):
            call = ToolCall(index=index)
            self._calls.append(call)
        before = len(call.id + call.name)
        call.id, call.name = call.id or call_id, call.name or name
        more = _as_text(arguments)
        call.arguments += more
        if isinstance(extra, Mapping):
            call.extra |= {key: value for key, value in extra.items() if value is not None}
        self._length += len(call.id + call.name) - before + len(more)
        if len(self._calls) > MAX_CALLS_PER_ANSWER or self._length > conf.get("AI_EXTENSIONS_MAX_ANSWER_CHARS"):
            raise BodyTooLong

    def whole(self, *, is_cut_off: bool = False) -> Sequence[ToolCall]:
        """The calls that have a name. Those without an id get one, which their results must repeat.

        Args:
            is_cut_off: the model reached its limit: missing arguments of the last call count as incomplete.
        """
        none = ["{}"] * len(self._calls)
        if is_cut_off and none:
            none[-1] = "{"
        return [
            replace(call, id=call.id or f"call_{uuid.uuid4().hex[:24]}", arguments=call.arguments or instead)
            for call, instead in zip(self._calls, none, strict=True)
            if call.name
        ]


def _begins_another(last: ToolCall, call_id: str, name: str) -> bool:
    if call_id and last.id:
        return call_id != last.id
    if not (name and last.name):
        return False
    if not last.arguments:
        return name != last.name
    return parsed_arguments(last.arguments) is not None


def _as_text(arguments: Any) -> str:
    """Arguments as JSON text; some servers send an object."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(arguments, ensure_ascii=False)
