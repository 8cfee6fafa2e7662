"""Calls LLM providers for answers, complete or streamed.

LiteLLM builds requests, sends them and parses answers. This module adds deadlines, retries, the end of streams and
error handling. ``chat`` and ``responses`` contain the details of the two APIs.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import httpx

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import RunCancelled
from openedx_ai_extensions.execution.answers import FinishReason
from openedx_ai_extensions.processors.llm.provider import chat, responses
from openedx_ai_extensions.processors.llm.provider.answer_reader import Signal
from openedx_ai_extensions.processors.llm.provider.connections import Transmission
from openedx_ai_extensions.processors.llm.provider.errors import (
    DeadlineExceeded,
    is_malformed_call,
    is_too_long,
    translate,
)
from openedx_ai_extensions.processors.llm.provider.library import litellm_module
from openedx_ai_extensions.processors.llm.provider.providers import Provider, find_provider
from openedx_ai_extensions.processors.llm.provider.retry import in_thread, with_retries
from openedx_ai_extensions.processors.llm.provider.stream import (
    Item,
    ReaderThread,
    Source,
    TextStream,
)
from openedx_ai_extensions.processors.llm.provider.types import Completion, Reading, Request

logger = logging.getLogger(__name__)

FIRST_TEXT_SECONDS = 2.0  # see _first_items


def complete(request: Request) -> Completion:
    """Request a complete answer.

    Raises:
        AIExtensionsError: the provider failed, after retries; see ``errors``.
    """
    provider = find_provider(request.provider)

    def ask(deadline: float, sent: Transmission) -> Completion:
        # Always the same timeout: LiteLLM keeps a client, with its connections, for each value.
        longest = provider.total_timeout
        try:
            response = in_thread(lambda: _call(provider, request, longest), deadline, sent)
            if request.thread:
                answer = responses.read_completion(response, provider, request)
            else:
                answer = chat.read_completion(response, provider, request, sent.response_json)
        except Exception as error:
            answer = Completion("", Reading(model_used=provider.model), request)
            if is_malformed_call(error):
                answer.reading.finish_reason = FinishReason.MALFORMED_CALL
            elif not is_too_long(error):
                raise
            else:
                _mark_cut_off(answer.reading, provider)
        if len(answer.text) > _max_characters():
            _mark_cut_off(answer.reading, provider)
            return replace(answer, text=answer.text[: _max_characters()])
        return answer

    _total, begin = _time_limits(provider, request)
    return with_retries(ask, provider, begin, has_fallback=request.begin_within is not None)


def stream(request: Request) -> TextStream:
    """Request a streamed answer; returns when the model has started.

    Raises:
        AIExtensionsError: the provider failed before it started, after retries; see ``errors``.
    """
    provider = find_provider(request.provider)
    idle = provider.first_byte_timeout
    total, begin = _time_limits(provider, request)
    end = time.monotonic() + total

    def open_stream(deadline: float, sent: Transmission) -> TextStream:
        reader = ReaderThread(_ProviderStream(provider, request, sent))
        try:
            first = _first_items(reader, min(idle, deadline - time.monotonic()))
        except (queue.Empty, RunCancelled) as error:
            reader.close()
            raise (DeadlineExceeded if isinstance(error, queue.Empty) else error) from None
        return TextStream(
            reader,
            first=first,
            idle=idle,
            deadline=end,
            on_fault=lambda error: translate(error, provider=provider.name, model=provider.model, is_sent=True),
        )

    return with_retries(open_stream, provider, begin, has_fallback=request.begin_within is not None)


def _max_characters() -> int:
    return int(conf.get("AI_EXTENSIONS_MAX_ANSWER_CHARS"))


def _mark_cut_off(reading: Reading, provider: Provider) -> None:
    reading.finish_reason = FinishReason.SITE_LIMIT
    reading.tool_calls = ()
    logger.warning("llm.answer.cut_off provider=%s model=%s limit=%s", provider.name, provider.model, _max_characters())


def _first_items(reader: ReaderThread, seconds: float) -> list[Item | None]:
    """The first items of a stream, up to its first text or its end.

    Most failures happen before that, and a call can be retried only before there is text. A model that works without
    sending text gets ``FIRST_TEXT_SECONDS`` for that.

    Raises:
        queue.Empty: nothing was received in this many seconds.
        BaseException: an error of the source.
    """
    began = time.monotonic()
    items: list[Item | None] = [reader.get(seconds)]
    settled = min(time.monotonic() + FIRST_TEXT_SECONDS, began + seconds)
    while isinstance(items[-1], Signal) and time.monotonic() < settled:
        try:
            items.append(reader.get(settled - time.monotonic()))
        except queue.Empty:
            break
    return items


class _ProviderStream(Source):
    def __init__(self, provider: Provider, request: Request, sent: Transmission) -> None:
        self.reading = Reading()
        self.model = (provider.name, provider.model)
        self._provider = provider
        self._request = request
        self._sent = sent
        self._is_cut_off = False
        self._wrapper: Any = None  # keeps a reference: without it, everything beneath would be closed

    def items(self) -> Iterator[Item]:
        idle = self._provider.first_byte_timeout
        read = responses.read_stream if self._request.thread else chat.read_stream
        try:
            with self._sent.watched():
                self._sent.streams = True
                self._wrapper = _call(self._provider, self._request, idle, stream=True)
            yield from self._passed_on(read(self._wrapper, self._provider, self.reading))
        except Exception as error:
            if is_too_long(error):
                self._cut_off()
            elif is_malformed_call(error):
                self.reading.finish_reason = FinishReason.MALFORMED_CALL
            else:
                raise

    def _passed_on(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items of the answer up to the site's limit."""
        left = _max_characters()
        for item in items:
            if isinstance(item, str):
                if len(item) > left:
                    yield item[:left]
                    self._cut_off()
                    return
                left -= len(item)
            yield item

    def _cut_off(self) -> None:
        self._is_cut_off = True
        _mark_cut_off(self.reading, self._provider)

    def shut_down(self) -> None:
        self._sent.shut_down()

    def finish(self, *, is_whole: bool) -> None:
        self._sent.finish(is_whole=is_whole and not self._is_cut_off)


def _time_limits(provider: Provider, request: Request) -> tuple[float, float]:
    """Seconds until the end of the answer, and until a stream must have started or a complete answer must be there."""
    total = provider.total_timeout
    if request.seconds is not None:
        total = max(min(total, request.seconds), 0.001)
    return total, total if request.begin_within is None else max(min(total, request.begin_within), 0.001)


def _call(provider: Provider, request: Request, read_timeout: float, *, stream: bool = False) -> Any:
    litellm = litellm_module()
    _skip_bookkeeping(litellm)
    common = {
        "model": provider.model,
        "timeout": httpx.Timeout(read_timeout, connect=provider.connect_timeout),
        "max_retries": 0,
        "num_retries": 0,
    }
    if stream and request.thread is not None:
        _mark_as_streaming(litellm, provider)
    if request.thread is None:
        return litellm.completion(**chat.parameters(provider, request, stream=stream), **common)
    return litellm.responses(**responses.parameters(provider, request, stream=stream), **common)


def _skip_bookkeeping(litellm: ModuleType) -> None:
    """Skip the records that LiteLLM collects for callbacks, if the site has none.

    Uses LiteLLM's own flag for internal calls. It is set in the context of this thread, which ends with the call.
    """
    context = getattr(litellm, "_internal_context", None)
    if context is not None and not (litellm.callbacks or litellm.success_callback):
        context.is_internal_call.set(True)


def _mark_as_streaming(litellm: ModuleType, provider: Provider) -> None:
    """Register a model as streaming: for a model that LiteLLM does not know, it would wait for the complete answer of
    the Responses API and simulate a stream.
    """
    name = provider.model if "/" in provider.model else f"{provider.kind}/{provider.model}"
    if name not in litellm.model_cost and name.partition("/")[2] not in litellm.model_cost:
        litellm.register_model({name: {"litellm_provider": provider.kind, "supports_native_streaming": True}})
