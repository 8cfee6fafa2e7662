"""OpenAI's Responses API, for providers that keep threads: requests and answers.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from openedx_ai_extensions.processors.llm.provider import fields
from openedx_ai_extensions.processors.llm.provider.errors import CutOff, ProviderFault, StreamedError
from openedx_ai_extensions.processors.llm.provider.providers import Provider
from openedx_ai_extensions.processors.llm.provider.reading import AnswerReader, Signal
from openedx_ai_extensions.processors.llm.provider.types import Completion, Reading, Request, Thread

# Options of chat completions, and their names in this API.
_OPTIONS = {
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "parallel_tool_calls": "parallel_tool_calls",
    "service_tier": "service_tier",
}


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
    for item in fields.items(fields.field(response, "output")):
        if fields.field(item, "type") == "message":
            for part in fields.items(fields.field(item, "content")):
                said += reader.say(fields.text(fields.field(part, "text")))
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
    for event in events:
        kind = fields.field(event, "type")
        kind = str(getattr(kind, "value", kind))
        if kind == "response.output_text.delta":
            yield from reader.say(fields.text(fields.field(event, "delta")))
        elif kind in {"response.completed", "response.incomplete"}:
            _read_end(reader, fields.field(event, "response"), provider)
            yield from reader.end()
            return
        elif kind in {"response.failed", "error"}:
            response = fields.field(event, "response")
            raise StreamedError(_as_mapping(fields.field(response, "error") or event))
        elif kind.startswith("response.reasoning"):
            yield from reader.think()
        else:
            yield from reader.ping()
    raise CutOff


def _read_end(reader: AnswerReader, response: Any, provider: Provider) -> None:
    """Read everything except the text of a finished response."""
    reading = reader.reading
    reading.usage = usage_of(response)
    reading.model_used = fields.text(fields.field(response, "model")) or provider.model
    reading.response_id = fields.identifier(fields.field(response, "id"))
    status = fields.text(fields.field(response, "status"))
    details = fields.field(response, "incomplete_details")
    reader.reported = fields.text(fields.field(details, "reason")) or status
    if status == "failed":
        raise ProviderFault
    calls = []
    for item in fields.items(fields.field(response, "output")):
        kind = fields.field(item, "type")
        if kind == "function_call":
            calls.append({"id": fields.field(item, "call_id"), "function": item})
        elif kind == "message":
            parts = fields.items(fields.field(item, "content"))
            reader.has_refusal = reader.has_refusal or any(fields.field(part, "refusal") for part in parts)
        elif kind == "reasoning":
            reader.has_reasoning = True
    reader.calls.add_whole(calls)


def _as_mapping(error: Any) -> Mapping[str, Any]:
    return {name: fields.field(error, name) for name in ("code", "type", "message", "status")}


def usage_of(response: Any) -> Mapping[str, int]:
    """Token counts that the provider reported, with the names of chat completions; empty if it reported none."""
    usage = fields.field(response, "usage")
    names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
    counts = {ours: fields.count(fields.field(usage, theirs)) for ours, theirs in names.items()}
    counts["cached_tokens"] = fields.count(fields.field(fields.field(usage, "input_tokens_details"), "cached_tokens"))
    return fields.without_nothing(counts) if any(counts.values()) else {}
