"""The chat completions API, which LiteLLM provides for every provider: requests and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import httpx

from openedx_ai_extensions.core.http_responses import LineTooLong, event_data
from openedx_ai_extensions.execution.answers import OUTPUT_LIMITS
from openedx_ai_extensions.processors.llm.provider.answer_reader import (
    AnswerReader,
    Signal,
    as_text,
    field,
    members,
    token_counts,
)
from openedx_ai_extensions.processors.llm.provider.errors import BrokenAnswer, CutOff, StreamedError
from openedx_ai_extensions.processors.llm.provider.providers import Capabilities, Provider
from openedx_ai_extensions.processors.llm.provider.types import TOKEN_COUNTS, Completion, Reading, Request

_CACHED = {"type": "ephemeral"}
# Finish reasons of chunks that are not the last; the second is DashScope's.
_NO_REASON = {"", "null"}


# Fields with the finish reason: Anthropic, Bedrock, Gemini (answer, prompt), Ollama, all others.
_REASONS = ("stop_reason", "stopReason", "finishReason", "blockReason", "done_reason", "finish_reason")
_REASON_OR_ERROR = re.compile(rf'"(?:{"|".join(_REASONS)})"\s*:\s*"|"error"\s*:\s*[^n\s]')  # not null


def parameters(provider: Provider, request: Request, *, stream: bool) -> dict[str, Any]:
    """The arguments for LiteLLM, except for the model and the timeouts."""
    capabilities = provider.capabilities
    stated = provider.sent_parameters
    if any(name in request.options for name in OUTPUT_LIMITS):  # OpenAI refuses two names of the same limit
        stated = {name: value for name, value in stated.items() if name not in OUTPUT_LIMITS}
    messages = [_for_provider(message, capabilities) for message in request.messages]
    sent: dict[str, Any] = {**stated, **request.options, "messages": messages}
    if request.tools:
        sent["tools"] = [{"type": "function", "function": dict(tool)} for tool in request.tools]
    if request.schema is not None:
        sent["response_format"] = {"type": "json_schema", "json_schema": dict(request.schema)}
    if stream:
        sent["stream"] = True
        if capabilities.streams_usage:
            sent["stream_options"] = {"include_usage": True}
    return sent


def _for_provider(message: Mapping[str, Any], capabilities: Capabilities) -> dict[str, Any]:
    """A message as the provider accepts it.

    The system message, which is the same in every turn, is marked for the provider's prompt cache. Tools precede it, so
    the mark covers them too.
    """
    sent = dict(message)
    if capabilities.wants_reasoning and "reasoning_content" in sent:
        sent["reasoning"] = sent.pop("reasoning_content")
    if capabilities.caches_marked_prefixes and sent["role"] == "system":
        sent["content"] = [{"type": "text", "text": sent["content"], "cache_control": _CACHED}]
    return sent


def read_completion(response: Any, provider: Provider, request: Request, raw: Any = None) -> Completion:
    """Read a complete answer.

    Args:
        response: the answer as LiteLLM parsed it.
        provider, request: where it is from.
        raw: the provider's JSON, if known.

    Raises:
        ProviderFault: it is not an answer, or the provider reported a failure.
    """
    choices = field(response, "choices")
    if not isinstance(choices, list | tuple):
        raise BrokenAnswer
    choice: Any = next(iter(choices), {})  # some providers send no choices for an empty answer
    message = field(choice, "message") or {}
    reading = Reading(usage_of(response), as_text(field(response, "model")) or provider.model)
    reader = AnswerReader(reading, starts_thinking=provider.capabilities.starts_thinking)
    extra = field(message, "provider_specific_fields") or {}
    reader.reported = native_finish_reason(raw) or _litellm_finish_reason(choice)
    reader.has_refusal = bool(field(message, "refusal") or field(extra, "refusal"))
    reader.add_calls(field(message, "tool_calls"), are_whole=True)
    said = chain(reader.reason(_thinking(message, extra)), reader.say(field(message, "content")), reader.end())
    text = "".join(piece for piece in said if isinstance(piece, str))
    return Completion(text, reading, request)


def native_finish_reason(told: Any) -> str:
    """The finish reason in a provider's JSON, a chunk or a complete answer; empty if there is none."""
    first: Any = next(chain(*(members(field(told, name)) for name in ("candidates", "choices"))), None)
    places = (told, field(told, "delta"), field(told, "promptFeedback"), first)
    words = (as_text(field(place, name)) for place in places for name in _REASONS)
    return next((word for word in words if word not in _NO_REASON), "")


def _litellm_finish_reason(choice: Any) -> str:
    """The finish reason of a choice as LiteLLM parsed it; if it is not a text, the name of its type."""
    reason = field(choice, "finish_reason")
    return reason if isinstance(reason, str) else type(reason).__name__ if reason else ""


def _thinking(message: Any, extra: Any) -> dict[str, Any]:
    """The reasoning in a message, under the names that the provider used. LiteLLM renames some."""
    original = field(extra, "reasoning") or field(message, "reasoning")
    return {
        **({"reasoning": original} if original else {"reasoning_content": field(message, "reasoning_content")}),
        "thinking_blocks": field(message, "thinking_blocks"),
        "reasoning_details": field(extra, "reasoning_details"),
    }


def read_stream(wrapper: Any, provider: Provider, reading: Reading) -> Iterator[str | Signal]:
    """Yield the texts and signals of a stream as LiteLLM returned it; everything else is stored in ``reading``.

    Raises:
        CutOff: the stream ended without a finish reason.
        ProviderFault: it is not an answer, or the provider reported a failure.
    """
    return _ChatStream(wrapper, provider, reading).read()


class _ChatStream:
    """One stream, parsed from the provider's bytes if they have OpenAI's format, otherwise through LiteLLM."""

    def __init__(self, wrapper: Any, provider: Provider, reading: Reading) -> None:
        self._wrapper = wrapper
        self._provider = provider
        self._reading = reading
        self._reader = AnswerReader(reading, starts_thinking=provider.capabilities.starts_thinking)
        self._is_wrapped = False
        self._native_reason = ""  # the provider's own finish reason
        self._ignores_litellm_reason = False  # LiteLLM reports "stop" for each chunk of Gemini
        self._has_ended = False  # the stream ended properly, but without a finish reason
        self._has_text_before_end = False  # there was text in a chunk without a finish reason

    def read(self) -> Iterator[str | Signal]:
        for chunk in self._chunks():
            yield from self._read_chunk(chunk)
        if not (self._has_ended or self._reader.reported):
            raise CutOff
        yield from self._reader.end()

    def _chunks(self) -> Iterator[Any]:
        """Chunks as dictionaries or objects in OpenAI's format, or in LiteLLM's generic one."""
        if hasattr(self._wrapper, "fetch_sync_stream"):  # some requests are sent only now
            self._wrapper.fetch_sync_stream()
        beneath: Any = getattr(self._wrapper, "completion_stream", None)
        lines: Any = getattr(beneath, "streaming_response", None)  # the attribute that LiteLLM's readers use
        if "mock_response" in self._provider.parameters:  # a mock of LiteLLM, which never signals the end
            self._has_ended = True
            yield from self._wrapper
        elif lines is None and isinstance(response := getattr(beneath, "response", None), httpx.Response):
            yield from self._raw_chunks(response)
        elif hasattr(beneath, "__next__"):
            if hasattr(lines, "__next__"):
                beneath.streaming_response = beneath.response_iterator = self._lines(lines)
            yield from self._parsed_chunks(beneath)
        else:
            yield from self._wrapped_chunks()

    def _raw_chunks(self, response: httpx.Response) -> Iterator[dict[str, Any]]:
        try:
            for name, data in _raw_events(response):
                text = data.strip()
                if text == b"[DONE]":
                    self._has_ended = True
                    return
                chunk = json.loads(text) if text else None
                if (error := _error_in(name, chunk)) is not None:
                    raise StreamedError(error)
                if isinstance(chunk, dict):
                    yield chunk
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, LineTooLong):
            # These errors quote the data.
            raise BrokenAnswer from None

    def _lines(self, lines: Iterator[Any]) -> Iterator[Any]:
        """Pass lines on to LiteLLM, and parse finish reasons here too: LiteLLM reports "stop" for many others."""
        for line in lines:
            if isinstance(line, str):
                self._ignores_litellm_reason = self._ignores_litellm_reason or '"candidates"' in line
                if _REASON_OR_ERROR.search(line):
                    self._read_line(line)
            yield line

    def _read_line(self, line: str) -> None:
        try:
            told = json.loads(line.removeprefix("data:"))
        except (ValueError, RecursionError):
            return  # LiteLLM will report it
        if (error := _error_in("", told)) is not None:
            raise StreamedError(error)
        self._native_reason = native_finish_reason(told) or self._native_reason

    def _parsed_chunks(self, beneath: Iterator[Any]) -> Iterator[Any]:
        """The chunks as LiteLLM parsed them, before its wrapper changes them.

        The wrapper treats some texts as special tokens, aborts on repeated text, reports "stop" if the provider did
        not, and is the slowest part. It is used only for formats that only it knows.
        """
        for first in beneath:
            if first is None:  # an empty line
                continue
            known = _is_generic(first) or field(first, "choices") is not None
            if known:
                yield from chain([first], beneath)
            else:
                self._wrapper.completion_stream = chain([first], beneath)
                yield from self._wrapped_chunks()
            return

    def _wrapped_chunks(self) -> Iterator[Any]:
        self._is_wrapped = True
        yield from self._wrapper
        # Its last chunk always says "stop".
        names = ("received_finish_reason", "intermittent_finish_reason")
        self._reader.reported = next((reason for name in names if (reason := getattr(self._wrapper, name, None))), "")

    def _read_chunk(self, chunk: Any) -> Iterator[str | Signal]:
        reader, reading = self._reader, self._reading
        usage = usage_of(chunk)
        if usage:
            reading.usage = _combined_usage(reading.usage, usage)
        if not reading.model_used:
            reading.model_used = as_text(field(chunk, "model")) or self._provider.model
        if _is_generic(chunk):
            yield from self._read_generic(chunk)
        was_finished = bool(reader.reported)
        for place, choice in enumerate(members(field(chunk, "choices"))):
            index = field(choice, "index")
            if str(place if index is None else index) == "0":  # only the first of several answers is used
                yield from self._read_choice(choice)
        # The wrapper always reports "stop", so only the end of the stream is certain.
        if reader.reported and not (was_finished or self._is_wrapped):
            yield from reader.end()
            yield Signal.FINISHED if self._has_text_before_end or reader.text.is_empty else Signal.PERHAPS_FINISHED
        if not (reader.reported or self._has_text_before_end or reader.text.is_empty):
            self._has_text_before_end = True

    def _read_choice(self, choice: Any) -> Iterator[str | Signal]:
        reader = self._reader
        delta = field(choice, "delta")
        if delta is None:
            delta = field(choice, "message")
        if delta is not None:
            content = field(delta, "content")
            yield from reader.reason(delta)
            if extra := field(delta, "provider_specific_fields"):  # where LiteLLM stores the reasoning of OpenRouter
                yield from reader.reason({"reasoning_details": field(extra, "reasoning_details")})
            if content:
                yield from reader.say(content)
            if calls := field(delta, "tool_calls"):
                reader.add_calls(calls)
                yield from reader.ping()
            if field(delta, "refusal"):
                reader.has_refusal = True
        reported = self._native_reason or ("" if self._ignores_litellm_reason else _litellm_finish_reason(choice))
        if reported not in _NO_REASON:
            reader.reported = reported

    def _read_generic(self, chunk: Mapping[str, Any]) -> Iterator[str | Signal]:
        """LiteLLM's format for providers that are not compatible with OpenAI."""
        reader = self._reader
        if chunk.get("tool_use"):
            reader.add_calls([chunk["tool_use"]])
            yield from reader.ping()
        yield from reader.reason(chunk.get("provider_specific_fields") or {})
        if chunk["text"]:
            yield from reader.say(chunk["text"])
        if chunk["is_finished"] or chunk.get("finish_reason"):
            reader.reported = self._native_reason or as_text(chunk.get("finish_reason")) or "stop"


def _combined_usage(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Combine counts of one answer that were reported several times: the last number other than zero counts."""
    usage = {**before, **{name: number for name, number in now.items() if number or name not in before}}
    parts = usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
    return {**usage, "total_tokens": max(parts, now.get("total_tokens", 0))}


def _raw_events(response: httpx.Response) -> Iterator[tuple[str, bytes]]:
    """Names and data of a stream's events. A server that does not stream answers with one JSON object."""
    pieces = response.iter_bytes()
    if "json" in response.headers.get("content-type", ""):
        start = next(pieces, b"")
        if start.lstrip()[:1] in b"{[":
            yield "", b"".join([start, *pieces])
            return
        pieces = chain([start], pieces)  # events in spite of the header
    yield from event_data(pieces)


def _error_in(name: str, chunk: Any) -> Any:
    """The error in an event, in any of the formats that servers use; None for other events."""
    if isinstance(chunk, list):  # Gemini's OpenAI-compatible endpoint
        chunk = next((each for each in chunk if isinstance(each, dict) and each.get("error")), None)
    if not isinstance(chunk, dict):
        return None
    is_error = name == "error" or chunk.get("object") == "error"  # the second form is that of older versions of vLLM
    found = chunk.get("error") or field(chunk.get("x_groq"), "error")
    return found or (chunk if is_error else None)


def _is_generic(chunk: Any) -> bool:
    return isinstance(chunk, dict) and "is_finished" in chunk and "text" in chunk


def usage_of(response: Any) -> Mapping[str, int]:
    """Token counts that the provider reported; empty if it reported none, or only zeros."""
    first: Any = next(members(field(response, "choices")), None)
    places = (response, field(response, "x_groq"), first)  # the standard location, Groq's and Moonshot's
    usage = next((found for place in places if (found := field(place, "usage"))), None)
    if not usage:
        return {}
    details = field(usage, "prompt_tokens_details")
    counts = token_counts({
        **{name: field(usage, name) for name in TOKEN_COUNTS},
        "cached_tokens": field(details, "cached_tokens"),
        "cache_written_tokens": field(details, "cache_creation_tokens"),
    })  # fmt: skip
    return counts if any(counts.values()) else {}
