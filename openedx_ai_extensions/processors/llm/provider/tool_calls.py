"""Tool calls of a model: joined from fragments, and normalised so that every provider accepts them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.http_responses import BodyTooLong
from openedx_ai_extensions.core.portable import replace_surrogates
from openedx_ai_extensions.processors.llm.provider import fields

# Characters that providers do not accept in a tool's name (OpenAI) or a call's id (Anthropic).
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
MAX_NAME_CHARS = 64  # characters
MAX_CALLS_PER_ANSWER = 128  # all calls are stored, and sent again with the next messages


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call of a model.

    Attributes:
        id: the provider's id, which the result must repeat.
        name: the tool's name, as the model wrote it.
        arguments: JSON as the model wrote it, possibly invalid.
        extra: the provider's own fields, such as a signature, which must be returned within the turn.
    """

    id: str
    name: str
    arguments: str
    extra: Mapping[str, Any] = field(default_factory=dict)

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


@dataclass(slots=True)
class _Part:
    index: Any
    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return len(self.id) + len(self.name) + len(self.arguments)

    def take(self, fragment: Any) -> None:
        function = _function(fragment)
        self.id = self.id or fields.text(fields.field(fragment, "id"))
        self.name = self.name or fields.text(fields.field(function, "name"))
        self.arguments += fields.arguments(fields.field(function, "arguments"))
        extra = fields.field(fragment, "provider_specific_fields")
        if isinstance(extra, Mapping):
            self.extra |= {key: value for key, value in extra.items() if value is not None}


class CallParts:
    """Tool calls that arrive in fragments.

    Raises (while they are added):
        BodyTooLong: there are too many calls, or they are longer than an answer's text may be.
    """

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._length = 0

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, fragments: Any) -> None:
        """Add the fragments of a chunk, in any form that providers use for ``tool_calls``."""
        for fragment in fields.items(fragments):
            if _function(fragment) is not None:
                self._take(self._part(fragment), fragment)

    def add_whole(self, calls: Any) -> None:
        """Add complete calls."""
        for call in fields.items(calls):
            if _function(call) is not None:
                part = _Part(None)
                self._parts.append(part)
                self._take(part, call)

    def _take(self, part: _Part, fragment: Any) -> None:
        before = part.length
        part.take(fragment)
        self._length += part.length - before
        if len(self._parts) > MAX_CALLS_PER_ANSWER or self._length > conf.get("AI_EXTENSIONS_MAX_ANSWER_CHARS"):
            raise BodyTooLong

    def _part(self, fragment: Any) -> _Part:
        """The call that a fragment belongs to.

        Some servers number every call 0. Then a new call starts with a different id; or, without ids, with a name, if
        the current call has a name and either complete arguments, or none and a different name.
        """
        index, call_id = fields.field(fragment, "index"), fields.text(fields.field(fragment, "id"))
        name = fields.text(fields.field(_function(fragment), "name"))
        last = next((part for part in reversed(self._parts) if part.index == index), None)
        if last is not None and not _begins_another(last, call_id, name):
            return last
        part = _Part(index)
        self._parts.append(part)
        return part

    def whole(self, *, is_cut_off: bool = False) -> Sequence[ToolCall]:
        """The calls that have a name. Those without an id get one, which their results must repeat.

        Args:
            is_cut_off: the model reached its limit: missing arguments of the last call count as incomplete.
        """
        none = ["{}"] * len(self._parts)
        if is_cut_off and none:
            none[-1] = "{"
        return [
            ToolCall(part.id or f"call_{uuid.uuid4().hex[:24]}", part.name, part.arguments or instead, part.extra)
            for part, instead in zip(self._parts, none, strict=True)
            if part.name
        ]


def _begins_another(last: _Part, call_id: str, name: str) -> bool:
    if call_id and last.id:
        return call_id != last.id
    if not (name and last.name):
        return False
    if not last.arguments:
        return name != last.name
    return parsed_arguments(last.arguments) is not None


def _function(fragment: Any) -> Any:
    """The name and arguments in a fragment, which some servers do not nest; None if it has neither."""
    function = fields.field(fragment, "function")
    if function is None and isinstance(fields.field(fragment, "name"), str):
        return fragment
    return function
