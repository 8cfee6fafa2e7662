"""Chat completions, OpenAI's first API and every provider's through LiteLLM: what is sent and how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from openedx_ai_extensions.processors.llm.errors import CutOff
from openedx_ai_extensions.processors.llm.exchange import TOKEN_COUNTS, Completion, Moderated, Request, ToolCall
from openedx_ai_extensions.processors.llm.providers import Provider
from openedx_ai_extensions.processors.llm.stream import Pump

_CACHED = {"type": "ephemeral"}


def parameters(provider: Provider, request: Request, *, stream: bool) -> dict[str, Any]:
    """The arguments for LiteLLM, beside those of every call."""
    capabilities = provider.capabilities
    messages = [dict(message) for message in request.messages]
    if capabilities.caches_marked_prefixes:
        messages = _marked(messages)
    sent: dict[str, Any] = {"messages": messages}
    if request.tools:
        sent["tools"] = [{"type": "function", "function": dict(tool)} for tool in request.tools]
    if request.schema is not None:
        sent["response_format"] = {"type": "json_schema", "json_schema": dict(request.schema)}
    if stream:
        sent["stream"] = True
        if capabilities.streams_usage:
            sent["stream_options"] = {"include_usage": True}
    return sent


def _marked(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The system message, which stays the same from turn to turn, marked for the provider's cache; tools come before
    it, so the mark covers them too."""
    return [
        {**message, "content": [{"type": "text", "text": message["content"], "cache_control": _CACHED}]}
        if message["role"] == "system"
        else message
        for message in messages
    ]


def read_completion(response: Any, provider: Provider, request: Request) -> Completion:
    message = response.choices[0].message
    calls = [
        ToolCall(call.id or "", call.function.name or "", call.function.arguments or "{}")
        for call in message.tool_calls or ()
    ]
    model_used = response.model or provider.model
    return Completion(message.content or "", usage_of(response), model_used, calls, request=request)


def read_moderation(response: Any) -> Moderated:
    """OpenAI's moderation, the only one that LiteLLM knows."""
    flagged = [result for result in response.results if result.flagged]
    categories = {name for result in flagged for name, applies in (result.categories or {}).items() if applies}
    reported = getattr(response, "usage", None) or {}
    usage = reported if isinstance(reported, Mapping) else vars(reported)
    counts = {name: usage.get(name) for name in ("prompt_tokens", "completion_tokens")}
    return Moderated(bool(flagged), sorted(categories), {name: n for name, n in counts.items() if isinstance(n, int)})


def read_stream(wrapper: Any, provider: Provider, pump: Pump) -> Iterator[str]:
    """The texts of a stream; what else it says goes to the pump.

    Raises:
        CutOff: it stopped without saying that it was done.
    """
    # Scripted by LiteLLM itself, which never says that it is done.
    is_scripted = "mock_response" in provider.parameters
    chunks, is_plain = plain_chunks(wrapper, provider)
    calls = CallParts()
    finished = False
    for chunk in chunks:
        for choice in chunk.choices:
            finished = finished or choice.finish_reason is not None
            if calls.add(getattr(choice.delta, "tool_calls", None) or ()):
                yield ""  # the model is at work, though there is no text
            if choice.delta.content:
                yield choice.delta.content
        if getattr(chunk, "usage", None) is not None:
            pump.usage = usage_of(chunk)
        pump.model_used = pump.model_used or chunk.model or provider.model
    if not (is_scripted or (finished if is_plain else _said_done(wrapper))):
        raise CutOff
    pump.tool_calls = calls.whole()


def plain_chunks(wrapper: Any, provider: Provider) -> tuple[Any, bool]:
    """What to iterate over, and whether it is the provider's own chunks, read beneath LiteLLM's stream."""
    if provider.capabilities.plain_chunks and "mock_response" not in provider.parameters:
        beneath = getattr(wrapper, "completion_stream", None)
        if hasattr(beneath, "__iter__"):
            return beneath, True
    return wrapper, False


def _said_done(wrapper: Any) -> bool:
    """Did the provider itself end the stream? LiteLLM's own last chunk says "stop" in any case."""
    reasons = ("received_finish_reason", "intermittent_finish_reason")
    return any(getattr(wrapper, name, None) is not None for name in reasons)


class CallParts:
    """Tool calls that arrive in fragments."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []

    def add(self, fragments: Iterable[Any]) -> bool:
        """Take fragments in; were there any?"""
        some = False
        for fragment in fragments:
            some = True
            part = self._part(fragment)
            part["id"] = part["id"] or fragment.id or ""
            part["name"] = part["name"] or (fragment.function and fragment.function.name) or ""
            part["arguments"] += (fragment.function and fragment.function.arguments) or ""
        return some

    def _part(self, fragment: Any) -> dict[str, Any]:
        """The call that a fragment belongs to. Some servers number every call 0, but name each anew."""
        for part in self._parts:
            if part["index"] == fragment.index and (not fragment.id or part["id"] in {"", fragment.id}):
                return part
        part = {"index": fragment.index, "id": "", "name": "", "arguments": ""}
        self._parts.append(part)
        return part

    def whole(self) -> Sequence[ToolCall]:
        return [ToolCall(part["id"], part["name"], part["arguments"] or "{}") for part in self._parts]


def usage_of(response: Any) -> Mapping[str, int]:
    """Token counts that the provider reported."""
    usage = getattr(response, "usage", None)
    counts = {name: getattr(usage, name, None) for name in TOKEN_COUNTS}
    details = getattr(usage, "prompt_tokens_details", None)
    counts["cached_tokens"] = getattr(details, "cached_tokens", None)
    counts["cache_written_tokens"] = getattr(details, "cache_creation_tokens", None)
    return {name: count for name, count in counts.items() if isinstance(count, int)}
