"""The only module that calls LLM providers.

LiteLLM builds requests, sends them and parses answers. This module adds deadlines, retries, the end of streams and
error handling. ``chat`` and ``responses`` contain the details of the two APIs.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

import httpx

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import RunCancelled, ThreadGone
from openedx_ai_extensions.execution.answers import FinishReason
from openedx_ai_extensions.processors.llm.provider import chat, responses
from openedx_ai_extensions.processors.llm.provider.answer_cache import AnswerCache, answer_cache
from openedx_ai_extensions.processors.llm.provider.connections import Transmission
from openedx_ai_extensions.processors.llm.provider.errors import (
    DeadlineExceeded,
    is_malformed_call,
    is_too_long,
    translate,
)
from openedx_ai_extensions.processors.llm.provider.library import litellm_module, mark_as_streaming, skip_bookkeeping
from openedx_ai_extensions.processors.llm.provider.providers import Provider, find_provider, replaced_models
from openedx_ai_extensions.processors.llm.provider.reading import Signal
from openedx_ai_extensions.processors.llm.provider.retry import in_thread, with_retries
from openedx_ai_extensions.processors.llm.provider.stream import (
    LONG_USAGE_WAIT_SECONDS,
    USAGE_WAIT_SECONDS,
    Item,
    ReaderThread,
    Source,
    TextStream,
)
from openedx_ai_extensions.processors.llm.provider.types import Completion, Moderated, Reading, Request

logger = logging.getLogger(__name__)

FIRST_TEXT_SECONDS = 2.0  # see _first_items


def warm_up() -> None:
    """Import LiteLLM now, so that the first request does not wait for it."""
    litellm_module()


def complete(request: Request) -> Completion:
    """Request a complete answer.

    Raises:
        AIExtensionsError: the provider failed, after retries; see ``errors``.
    """
    provider = find_provider(request.provider)
    has_fallback = request.begin_within is not None

    def ask(deadline: float, sent: Transmission) -> Completion:
        # Always the same timeout: LiteLLM keeps a client, with its connections, for each value.
        longest = provider.total_timeout
        try:
            response = in_thread(lambda: _call(provider, request, sent, read_timeout=longest), deadline, sent.shut_down)
            if request.thread:
                answer = responses.read_completion(response, provider, request)
            else:
                answer = chat.read_completion(response, provider, request, sent.response_json)
        except Exception as error:
            if is_too_long(error):
                return _cut_off(Completion("", Reading(model_used=provider.model), request), provider)
            if not is_malformed_call(error):
                raise
            return Completion("", _malformed_call(provider), request)
        return _cut_off(answer, provider) if len(answer.text) > _max_characters() else answer

    return with_retries(ask, provider, _begin_seconds(provider, request), has_fallback=has_fallback)


def stream(request: Request) -> TextStream:
    """Request a streamed answer; returns when the model has started.

    Raises:
        AIExtensionsError: the provider failed before it started, after retries; see ``errors``.
    """
    provider = find_provider(request.provider)
    idle = provider.first_byte_timeout
    end = time.monotonic() + _total_seconds(provider, request)

    def open_stream(deadline: float, sent: Transmission) -> TextStream:
        reader = ReaderThread(_ProviderStream(provider, request, sent))
        try:
            first = _first_items(reader, min(idle, deadline - time.monotonic()))
        except queue.Empty:
            reader.close()
            raise DeadlineExceeded from None
        except RunCancelled:
            reader.close()
            raise
        return TextStream(
            reader,
            first=first,
            idle=idle,
            deadline=end,
            on_fault=lambda error: translate(error, provider=provider.name, model=provider.model, is_sent=True),
        )

    has_fallback = request.begin_within is not None
    return with_retries(open_stream, provider, _begin_seconds(provider, request), has_fallback=has_fallback)


def _max_characters() -> int:
    return int(conf.get("AI_EXTENSIONS_MAX_ANSWER_CHARS"))


def _cut_off(answer: Completion, provider: Provider) -> Completion:
    """Truncate a complete answer to the site's limit."""
    _mark_cut_off(answer.reading, provider)
    return replace(answer, text=answer.text[: _max_characters()])


def _mark_cut_off(reading: Reading, provider: Provider) -> None:
    reading.finish_reason = FinishReason.SITE_LIMIT
    reading.tool_calls = ()
    logger.warning("llm.answer.cut_off provider=%s model=%s limit=%s", provider.name, provider.model, _max_characters())


def _malformed_call(provider: Provider) -> Reading:
    """The metadata of an answer that the provider rejected because the model's output was malformed."""
    return Reading(model_used=provider.model, finish_reason=FinishReason.MALFORMED_CALL)


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
    """The source of a provider's streamed answer, read by a thread."""

    # Providers that have reported token counts late, by entry and model.
    _late_usage_models: ClassVar[set[tuple[str, str]]] = set()

    def __init__(self, provider: Provider, request: Request, sent: Transmission) -> None:
        super().__init__()
        self._provider = provider
        self._request = request
        self._sent = sent
        self._is_cut_off = False
        self._wrapper: Any = None  # keeps a reference: without it, everything beneath would be closed

    @property
    def usage_wait(self) -> float:
        return (
            LONG_USAGE_WAIT_SECONDS
            if (self._provider.name, self._provider.model) in self._late_usage_models
            else USAGE_WAIT_SECONDS
        )

    def items(self) -> Iterator[Item]:
        idle = self._provider.first_byte_timeout
        read = responses.read_stream if self._request.thread else chat.read_stream
        try:
            self._wrapper = _call(self._provider, self._request, self._sent, read_timeout=idle, stream=True)
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

    def on_late_usage(self) -> None:
        self._late_usage_models.add((self._provider.name, self._provider.model))


def cached_answer(request: Request) -> Completion | None:
    """The stored answer of this provider to the same request, or None."""
    cache = _answer_cache() if request.may_be_cached else None
    return cache.get(find_provider(request.provider), request) if cache else None


def cache_answer(request: Request, text: str, model_used: str) -> None:
    """Store a complete answer, if the site and the profile enable the cache."""
    cache = _answer_cache() if request.may_be_cached else None
    if cache:
        cache.put(find_provider(request.provider), request, text, model_used)


def _answer_cache() -> AnswerCache | None:
    """The site's response cache; None if it is disabled or cannot be created."""
    if not conf.get("AI_EXTENSIONS_ENABLE_LLM_CACHE"):
        return None
    return answer_cache(litellm_module(), conf.get("AI_EXTENSIONS_LLM_CACHE"))


def fetch_response(provider_name: str, response_id: str) -> Mapping[str, Any]:
    """A response that the provider stores, in the format of OpenAI's Responses API, with its complete input under
    ``input``.

    Raises:
        ThreadGone: the provider does not have it any more.
        AIExtensionsError: the provider failed.
    """
    provider = find_provider(provider_name)
    total = provider.total_timeout

    def ask(deadline: float, sent: Transmission) -> Mapping[str, Any]:
        litellm = litellm_module()
        about = {**provider.sent_parameters, "custom_llm_provider": provider.kind, "timeout": total}

        def fetch() -> Mapping[str, Any]:
            with sent.watched():
                response = litellm.get_responses(response_id=response_id, **about)
                items: list[Any] = []
                more: dict[str, Any] = {}
                while True:
                    page = litellm.list_input_items(response_id=response_id, order="asc", limit=100, **more, **about)
                    items += page.get("data") or ()
                    if not page.get("has_more") or not page.get("last_id"):
                        return {**response.model_dump(), "input": items}
                    more = {"after": page["last_id"]}

        found: Mapping[str, Any] = in_thread(fetch, deadline, sent.shut_down)
        return found

    return with_retries(ask, provider, total)


def delete_response(provider_name: str, response_id: str) -> str:
    """Delete a response at the provider.

    Returns:
        The id of the previous response in its thread; empty if it was the first.

    Raises:
        ThreadGone: the provider does not have it any more.
        AIExtensionsError: the provider failed.
    """
    provider = find_provider(provider_name)
    total = provider.total_timeout
    previous: list[str] = []

    def ask(deadline: float, sent: Transmission) -> None:
        litellm = litellm_module()
        about = {**provider.sent_parameters, "custom_llm_provider": provider.kind, "timeout": total}

        def delete() -> None:
            with sent.watched():
                if not previous:
                    response = litellm.get_responses(response_id=response_id, **about)
                    previous.append(response.previous_response_id or "")
                litellm.delete_responses(response_id=response_id, **about)

        in_thread(delete, deadline, sent.shut_down)

    try:
        with_retries(ask, provider, total)
    except ThreadGone:
        if not previous:
            raise
        # The first attempt deleted it, but its response was lost, so the retry does not find it.
    return previous[0]


def moderate(provider_name: str, text: str, seconds: float) -> Moderated:
    """Check a text with a provider's moderation model.

    Raises:
        AIExtensionsError: the provider failed, or took longer than ``seconds``, retries included.
    """
    models = replaced_models()
    if models is not None:
        return models.moderate(text)
    provider = find_provider(provider_name)
    litellm = litellm_module()  # outside of the timeout: the first import takes long
    stated = provider.sent_parameters
    client = _moderation_client(stated.get("api_key"), stated.get("api_base") or stated.get("base_url"), seconds)
    model = provider.model.partition("/")[2] or provider.model

    def ask(deadline: float, sent: Transmission) -> Moderated:
        def call() -> Any:
            with sent.watched():
                return litellm.moderation(input=text, model=model, client=client)

        return chat.read_moderation(in_thread(call, deadline, sent.shut_down))

    return with_retries(ask, provider, seconds)


@lru_cache(maxsize=8)
def _moderation_client(key: str | None, address: str | None, seconds: float) -> Any:
    """A reusable client. LiteLLM would create one for each call, with a timeout of ten minutes and retries."""
    import openai

    session = litellm_module().client_session
    return openai.OpenAI(api_key=key, base_url=address, timeout=seconds, max_retries=0, http_client=session)


def total_seconds(provider_name: str) -> float:
    """The maximum duration of a complete answer of this provider, in seconds.

    Raises:
        LLMConfigError: the site has no such provider.
    """
    return find_provider(provider_name).total_timeout


def _total_seconds(provider: Provider, request: Request) -> float:
    """The maximum duration of the answer in seconds."""
    total = provider.total_timeout
    return total if request.seconds is None else max(min(total, request.seconds), 0.001)


def _begin_seconds(provider: Provider, request: Request) -> float:
    """The time in seconds until a stream must have started, or a complete answer must be there."""
    total = _total_seconds(provider, request)
    return total if request.begin_within is None else max(min(total, request.begin_within), 0.001)


def _call(
    provider: Provider, request: Request, sent: Transmission, *, read_timeout: float, stream: bool = False
) -> Any:
    litellm = litellm_module()
    sent.streams = stream
    skip_bookkeeping(litellm)
    common = {
        "model": provider.model,
        "timeout": httpx.Timeout(read_timeout, connect=provider.connect_timeout),
        "max_retries": 0,
        "num_retries": 0,
    }
    if stream and request.thread is not None:
        mark_as_streaming(litellm, provider.model, provider.kind)
    with sent.watched():
        if request.thread is None:
            return litellm.completion(**chat.parameters(provider, request, stream=stream), **common)
        return litellm.responses(**responses.parameters(provider, request, stream=stream), **common)
