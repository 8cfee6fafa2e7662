"""OpenAI's Responses API, for providers that keep threads: requests, answers, and stored responses.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from types import ModuleType
from typing import Any, TypeVar

from openedx_ai_extensions.exceptions import ThreadGone
from openedx_ai_extensions.processors.llm.provider.answer_reader import (
    AnswerReader,
    Signal,
    as_text,
    field,
    members,
    token_counts,
)
from openedx_ai_extensions.processors.llm.provider.connections import Transmission
from openedx_ai_extensions.processors.llm.provider.errors import CutOff, ProviderFault, StreamedError
from openedx_ai_extensions.processors.llm.provider.library import litellm_module
from openedx_ai_extensions.processors.llm.provider.providers import Provider, find_provider
from openedx_ai_extensions.processors.llm.provider.retry import in_thread, with_retries
from openedx_ai_extensions.processors.llm.provider.types import Completion, Reading, Request, Thread

Value = TypeVar("Value")

_TEXT_PART = "response.output_text.delta"  # a type of event
# Options of chat completions, and their names in this API.
_OPTIONS = {
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "parallel_tool_calls": "parallel_tool_calls",
    "service_tier": "service_tier",
}


MAX_IDENTIFIER_CHARS = 4_096  # LiteLLM doubles the length of some
# Parameters of an entry of AI_EXTENSIONS that only chat completions support.
_ONLY_CHAT = frozenset({"seed", "stop", "presence_penalty", "frequency_penalty", "logit_bias", "top_k", "min_p"})


def understands(provider: Provider, options: Mapping[str, Any]) -> bool:
    """Does this API support these options and the parameters of the provider's entry?"""
    return set(options) <= {*_OPTIONS, "reasoning_effort"} and not _ONLY_CHAT & provider.parameters.keys()


def parameters(provider: Provider, request: Request, *, stream: bool) -> dict[str, Any]:
    """The arguments for LiteLLM, except for the model and the timeouts."""
    stated = provider.sent_parameters
    known = [name for name in (*_OPTIONS, "reasoning_effort") if name in stated]
    options = {**{name: stated.pop(name) for name in known}, **request.options}
    thread = request.thread or Thread()
    system = [message["content"] for message in request.messages if message["role"] == "system"]
    new = request.messages[thread.known :] if thread.response_id else request.messages
    sent: dict[str, Any] = {
        "instructions": "\n\n".join(system),
        "input": [item for message in new if message["role"] != "system" for item in _items(message)],
        "store": True,
        **{_OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS},
    }
    if "reasoning_effort" in options:
        sent["reasoning"] = {"effort": options["reasoning_effort"]}
    if thread.response_id:
        sent["previous_response_id"] = thread.response_id
    tools = [{"type": "function", **tool} for tool in request.tools]
    if tools or request.hosted_tools:
        sent["tools"] = [*tools, *(dict(tool) for tool in request.hosted_tools)]
    if stream:
        sent["stream"] = True
    return {**stated, **sent}


def _items(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Convert a chat message to input items."""
    if message["role"] == "tool":
        yield {"type": "function_call_output", "call_id": message["tool_call_id"], "output": message["content"]}
        return
    if message.get("content"):
        yield {"role": message["role"], "content": message["content"]}
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield {
            "type": "function_call",
            "call_id": call["id"],
            "name": function["name"],
            "arguments": function["arguments"],
        }


def read_completion(response: Any, provider: Provider, request: Request) -> Completion:
    """Read a complete answer.

    Raises:
        ProviderFault: the provider reported a failure.
    """
    reader = AnswerReader(Reading(), starts_thinking=provider.capabilities.starts_thinking)
    said: list[str | Signal] = []
    for item in members(field(response, "output")):
        if field(item, "type") == "message":
            for part in members(field(item, "content")):
                said += reader.say(as_text(field(part, "text")))
    _read_end(reader, response, provider)
    text = "".join(piece for piece in chain(said, reader.end()) if isinstance(piece, str))
    return Completion(text, reader.reading, request)


def read_stream(events: Any, provider: Provider, reading: Reading) -> Iterator[str | Signal]:
    """Yield the texts and signals of a stream; everything else is stored in ``reading``.

    Raises:
        CutOff: the stream ended without a finish reason.
        ProviderFault: the provider reported a failure.
    """
    reader = AnswerReader(reading, starts_thinking=provider.capabilities.starts_thinking)
    for event in _events(events):
        kind = field(event, "type")
        kind = str(getattr(kind, "value", kind))
        if kind == _TEXT_PART:
            yield from reader.say(as_text(field(event, "delta")))
        elif kind in {"response.completed", "response.incomplete"}:
            _read_end(reader, field(event, "response"), provider)
            yield from reader.end()
            return
        elif kind in {"response.failed", "error"}:
            response = field(event, "response")
            told = field(response, "error") or event
            raise StreamedError({name: field(told, name) for name in ("code", "type", "message", "status")})
        elif kind.startswith("response.reasoning"):
            yield from reader.think()
        else:
            yield from reader.ping()
    raise CutOff


def _events(stream: Any) -> Iterator[Any]:
    """The events of LiteLLM's stream. Parts of the text are parsed here: LiteLLM takes ten times as long for each."""
    source = getattr(stream, "stream_iterator", None)
    if source is not None:
        for event in source:
            if (part := _text_part(getattr(event, "data", None))) is not None:
                yield part
                continue
            stream.stream_iterator = chain([event], source)
            try:
                yield next(stream)
            except StopIteration:
                return
        stream.stream_iterator = iter(())  # for LiteLLM to decide whether the stream may end here
    yield from stream


def _text_part(data: Any) -> Mapping[str, Any] | None:
    """The event in this data if it is a part of the text; otherwise None."""
    if not isinstance(data, str) or f'"{_TEXT_PART}"' not in data:
        return None
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return None  # LiteLLM will report it
    return event if isinstance(event, dict) and event.get("type") == _TEXT_PART else None


def _read_end(reader: AnswerReader, response: Any, provider: Provider) -> None:
    """Read everything except the text of a finished response."""
    reading = reader.reading
    reading.usage = usage_of(response)
    reading.model_used = as_text(field(response, "model")) or provider.model
    response_id = as_text(field(response, "id"))
    if len(response_id) <= MAX_IDENTIFIER_CHARS and response_id.isascii() and response_id.isprintable():
        reading.response_id = response_id  # others cannot be stored and sent back
    status = as_text(field(response, "status"))
    details = field(response, "incomplete_details")
    reader.reported = as_text(field(details, "reason")) or status
    if status == "failed":
        raise ProviderFault
    calls = []
    for item in members(field(response, "output")):
        kind = field(item, "type")
        if kind == "function_call":
            calls.append({"id": field(item, "call_id"), "function": item})
        elif kind == "message":
            parts = members(field(item, "content"))
            reader.has_refusal = reader.has_refusal or any(field(part, "refusal") for part in parts)
        elif kind == "reasoning":
            reader.has_reasoning = True
    reader.add_calls(calls, are_whole=True)


def usage_of(response: Any) -> Mapping[str, int]:
    """Token counts that the provider reported, with the names of chat completions; empty if it reported none."""
    usage = field(response, "usage")
    names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
    cached = field(field(usage, "input_tokens_details"), "cached_tokens")
    counts = token_counts({**{ours: field(usage, theirs) for ours, theirs in names.items()}, "cached_tokens": cached})
    return counts if any(counts.values()) else {}


def fetch(provider_name: str, response_id: str) -> Mapping[str, Any]:
    """A response that the provider stores, in the format of this API, with its complete input under ``input``.

    Raises:
        ThreadGone: the provider does not have it any more.
        AIExtensionsError: the provider failed.
    """

    def fetch_it(litellm: ModuleType, about: Mapping[str, Any]) -> Mapping[str, Any]:
        response = litellm.get_responses(**about)
        inputs: list[Any] = []
        more: dict[str, Any] = {}
        while True:
            page = litellm.list_input_items(order="asc", limit=100, **more, **about)
            inputs += page.get("data") or ()
            if not page.get("has_more") or not page.get("last_id"):
                return {**response.model_dump(), "input": inputs}
            more = {"after": page["last_id"]}

    return _with_stored(provider_name, response_id, fetch_it)


def delete(provider_name: str, response_id: str) -> str:
    """Delete a response at the provider.

    Returns:
        The id of the previous response in its thread; empty if it was the first.

    Raises:
        ThreadGone: the provider does not have it any more.
        AIExtensionsError: the provider failed.
    """
    previous: list[str] = []

    def delete_it(litellm: ModuleType, about: Mapping[str, Any]) -> None:
        if not previous:
            previous.append(litellm.get_responses(**about).previous_response_id or "")
        litellm.delete_responses(**about)

    try:
        _with_stored(provider_name, response_id, delete_it)
    except ThreadGone:
        if not previous:
            raise
        # The first attempt deleted it, but its response was lost, so the retry does not find it.
    return previous[0]


def _with_stored(provider_name: str, response_id: str, use: Callable[[ModuleType, Mapping[str, Any]], Value]) -> Value:
    """Make calls about a stored response, with retries.

    Args:
        use: makes the calls with LiteLLM and their common arguments.
    """
    provider = find_provider(provider_name)
    total = provider.total_timeout

    def ask(deadline: float, sent: Transmission) -> Value:
        litellm = litellm_module()
        about = {
            **provider.sent_parameters,
            "response_id": response_id,
            "custom_llm_provider": provider.kind,
            "timeout": total,
        }
        return in_thread(lambda: use(litellm, about), deadline, sent)

    return with_retries(ask, provider, total)
