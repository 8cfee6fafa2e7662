"""OpenAI's Responses API, for providers that keep threads: what is sent and how it is read.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openedx_ai_extensions.processors.llm.errors import CutOff, ProviderFault
from openedx_ai_extensions.processors.llm.exchange import Completion, Request, Thread, ToolCall
from openedx_ai_extensions.processors.llm.providers import Provider
from openedx_ai_extensions.processors.llm.stream import Pump

# A profile's options in the words of chat completions, and what they are called here.
_OPTIONS = {
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "parallel_tool_calls": "parallel_tool_calls",
    "service_tier": "service_tier",
}


def understands(options: Mapping[str, Any]) -> bool:
    """Can these options be said in this API?"""
    return set(options) <= {*_OPTIONS, "reasoning_effort"}


def parameters(request: Request, *, stream: bool) -> dict[str, Any]:
    """The arguments for LiteLLM, beside those of every call."""
    thread = request.thread or Thread()
    system = [message["content"] for message in request.messages if message["role"] == "system"]
    new = request.messages[thread.known :] if thread.response_id else request.messages
    sent: dict[str, Any] = {
        "instructions": "\n\n".join(system),
        "input": [item for message in new if message["role"] != "system" for item in _items(message)],
        "store": True,
        **{_OPTIONS[name]: value for name, value in request.options.items() if name in _OPTIONS},
    }
    if "reasoning_effort" in request.options:
        sent["reasoning"] = {"effort": request.options["reasoning_effort"]}
    if thread.response_id:
        sent["previous_response_id"] = thread.response_id
    tools = [{"type": "function", **tool} for tool in request.tools]
    if tools or request.hosted_tools:
        sent["tools"] = [*tools, *(dict(tool) for tool in request.hosted_tools)]
    if stream:
        sent["stream"] = True
    return sent


def _items(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A chat message as input items."""
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
    if getattr(response, "status", None) == "failed":
        raise ProviderFault
    return Completion(
        text="".join(_texts(response)),
        usage=usage_of(response),
        model_used=getattr(response, "model", None) or provider.model,
        tool_calls=_calls(response),
        response_id=response.id,
        request=request,
    )


def read_stream(events: Any, provider: Provider, pump: Pump) -> Iterator[str]:
    """The texts of a stream; what else it says goes to the pump.

    Raises:
        CutOff: it stopped without saying that it was done.
        ProviderFault: the provider said that it failed.
    """
    for event in events:
        kind = str(getattr(event.type, "value", event.type))
        if kind == "response.output_text.delta":
            yield event.delta
        elif kind in {"response.completed", "response.incomplete"}:
            response = event.response
            pump.usage = usage_of(response)
            pump.model_used = getattr(response, "model", None) or provider.model
            pump.tool_calls = _calls(response)
            pump.response_id = response.id
            return
        elif kind in {"response.failed", "error"}:
            raise ProviderFault
        else:
            yield ""  # it is at work
    raise CutOff


def _texts(response: Any) -> Iterator[str]:
    for item in response.output:
        if field(item, "type") == "message":
            yield from (field(part, "text") or "" for part in field(item, "content") or ())


def _calls(response: Any) -> Sequence[ToolCall]:
    return [
        ToolCall(field(item, "call_id"), field(item, "name"), field(item, "arguments") or "{}")
        for item in response.output
        if field(item, "type") == "function_call"
    ]


def field(item: Any, name: str) -> Any:
    """A field of an item, which LiteLLM gives as an object or as a dictionary."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def usage_of(response: Any) -> Mapping[str, int]:
    """Token counts that the provider reported, in the words of chat completions."""
    usage = getattr(response, "usage", None)
    names = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens", "total_tokens": "total_tokens"}
    if usage is None:
        return {}
    counts = {ours: field(usage, theirs) for ours, theirs in names.items()}
    counts["cached_tokens"] = field(field(usage, "input_tokens_details"), "cached_tokens")
    return {name: count for name, count in counts.items() if isinstance(count, int)}
