"""Repeats failed calls within a time limit: retries with the same provider, then calls of the fallback providers."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from openedx_ai_extensions.core import conf, long_waits
from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    ContextWindowExceeded,
    InvalidAPIKey,
    LLMConfigError,
    ProviderRateLimited,
    QuotaExceeded,
    RunCancelled,
    ServiceUnavailable,
    ThreadGone,
)
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.processors.llm.provider.connections import Transmission
from openedx_ai_extensions.processors.llm.provider.errors import DeadlineExceeded, has_timed_out, may_retry, translate
from openedx_ai_extensions.processors.llm.provider.providers import Provider, count_tokens, find_provider
from openedx_ai_extensions.processors.llm.provider.types import Request, Thread

logger = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.5  # before the first retry; doubles each time
MAX_WAIT_WITH_FALLBACK_SECONDS = 2.0  # maximum wait before a retry if there is a fallback provider
MIN_SECONDS_LEFT = 1.0  # no further provider is called with less time left
ANSWER_SHARE = 0.1  # of a model's context window, reserved for its answer
# Errors of the provider or its entry, as opposed to errors of the request.
PROVIDER_ERRORS = (ServiceUnavailable, ProviderRateLimited, InvalidAPIKey, LLMConfigError)

Value = TypeVar("Value")


def with_retries(
    attempt: Callable[[float, Transmission], Value], provider: Provider, total: float, *, has_fallback: bool = False
) -> Value:
    """Retry a call until it succeeds, retries are used up or pointless, or the time is up.

    Args:
        attempt: called with the deadline (``time.monotonic()``) and the object that tracks its requests.
        total: the time limit in seconds.
        has_fallback: there is another provider: no retry after a timeout or if the provider requests a long wait.

    Raises:
        RunCancelled: the run was cancelled.
        AIExtensionsError: the last error; see ``errors``.
    """
    deadline = time.monotonic() + total
    retries = provider.max_retries
    for number in range(retries + 1):
        sent = Transmission()
        try:
            long_waits.require_wanted()
            return attempt(deadline, sent)
        except RunCancelled as error:
            error.reached_provider = sent.is_sent
            raise
        except BaseException as error:
            is_sent = sent.is_sent or "mock_response" in provider.parameters  # LiteLLM can simulate errors
            ours = translate(error, provider=provider.name, model=provider.model, is_sent=is_sent)
            if ours is None:
                raise
            wait = _wait(number, ours)
            is_over = number == retries or not may_retry(ours, error) or time.monotonic() + wait >= deadline
            if is_over or (has_fallback and (has_timed_out(error) or wait > MAX_WAIT_WITH_FALLBACK_SECONDS)):
                raise ours from None
        long_waits.pause(wait)
        logger.info("llm.retry provider=%s attempt=%s", provider.name, number + 2)
    raise ServiceUnavailable


def _wait(number: int, error: AIExtensionsError) -> float:
    """Seconds until the next attempt: as the provider requests, otherwise doubling with jitter."""
    if error.retry_after is not None:
        return error.retry_after
    return FIRST_WAIT_SECONDS * 2**number * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, guards nothing


def in_thread(call: Callable[[], Value], deadline: float, sent: Transmission) -> Value:
    """Run a call that may ignore its timeout in a thread; abort it when the time is up or the run is cancelled.

    Raises:
        DeadlineExceeded: the time is up.
        RunCancelled: the run was cancelled.
    """

    def watched() -> Value:
        with sent.watched():
            return call()

    try:
        return long_waits.in_thread(watched, deadline - time.monotonic(), "llm-call")
    except (long_waits.TookTooLong, RunCancelled) as error:
        sent.shut_down()
        raise (error if isinstance(error, RunCancelled) else DeadlineExceeded) from None


def call_with_fallbacks(request: Request, ask: Callable[[Request], Value]) -> Value:
    """Call the request's provider; if it fails, the next of its ``fallbacks``, and so on.

    A fallback gets all messages, but no thread and no hosted tools of the first provider. Options that a model does not
    support are removed.

    ``request.seconds`` is the time for all of them: while there are further fallbacks, each call gets an equal share of
    the remaining time.

    Raises:
        AIExtensionsError: the error of the last provider.
    """
    first = find_provider(request.provider)
    until = time.monotonic() + (first.total_timeout if request.seconds is None else request.seconds)
    request = replace(request, run=request.run or Run(user=None))
    providers = [first, *_fallbacks(request, first)]
    failed: tuple[Provider, AIExtensionsError] | None = None
    for position, provider in enumerate(providers):
        if failed and not (_seconds_left(until) > MIN_SECONDS_LEFT and _can_replace(provider, *failed)):
            continue
        others = len(providers) - position - 1
        try:
            asked = _adapted(request, provider, is_fallback=position > 0)
            return _ask_one(asked, provider, ask, until, others=others)
        except RunCancelled:
            raise
        except AIExtensionsError as error:
            # That the text is too long for a fallback does not explain the first failure.
            if failed is None or not isinstance(error, ContextWindowExceeded):
                failed = (provider, error)
            if others:
                logger.warning("llm.fallback provider=%s code=%s", provider.name, error.code)
    if failed is None:
        raise AssertionError
    raise failed[1] from None


def _fallbacks(request: Request, first: Provider) -> Iterator[Provider]:
    """The fallback providers, without duplicates and without names that the site does not have."""
    seen = {first.name}
    for name in request.fallbacks:
        try:
            provider = find_provider(name)
        except LLMConfigError:
            logger.warning("llm.fallback.unknown name=%s known=%s", logged(name), ",".join(conf.providers()))
            continue
        if provider.name not in seen:
            seen.add(provider.name)
            yield provider


def _can_replace(provider: Provider, failed: Provider, error: AIExtensionsError) -> bool:
    """Could this provider succeed after that error? Not if the request itself is the cause."""
    if isinstance(error, ContextWindowExceeded):
        needed, offered = failed.context_tokens, provider.context_tokens
        return needed is not None and offered is not None and offered > needed
    if isinstance(error, QuotaExceeded):
        return error.extra["scope"] == "provider"
    return isinstance(error, PROVIDER_ERRORS)


def _adapted(request: Request, provider: Provider, *, is_fallback: bool) -> Request:
    """Adapt the request to a provider.

    Raises:
        ContextWindowExceeded: it is too long even without any history.
    """
    messages, thread = [dict(message) for message in request.messages], request.thread
    if request.may_trim:
        messages = _fit(messages, provider.context_tokens, request.tools)
        if thread is not None and thread.response_id:
            thread = Thread(thread.response_id, known=len(messages) - 1)
    schema = request.schema if provider.capabilities.structured_output else None
    asked = replace(request, messages=messages, thread=thread, schema=schema, fallbacks=(), may_trim=False)
    asked = _without_options(asked, provider, provider.unsupported_options(request.options))
    return replace(asked, provider=provider.name, thread=None, hosted_tools=()) if is_fallback else asked


def _without_options(request: Request, provider: Provider, names: Sequence[str]) -> Request:
    if not names:
        return request
    logger.warning(
        "llm.options_dropped provider=%s model=%s options=%s", provider.name, provider.model, ",".join(sorted(names))
    )
    return replace(request, options={name: value for name, value in request.options.items() if name not in names})


def _ask_one(
    request: Request, provider: Provider, ask: Callable[[Request], Value], until: float, *, others: int
) -> Value:
    """Call one provider; retry once without a thread, schema or option that it does not accept."""

    def timed(asked: Request) -> Request:
        left = max(_seconds_left(until), 0.001)
        return replace(asked, seconds=left, begin_within=left / (others + 1) if others else None)

    try:
        return ask(timed(request))
    except (ThreadGone, ContextWindowExceeded):
        # The thread was lost, or has become too long: send the complete history, trimmed to fit.
        if request.thread is None or not request.thread.response_id:
            raise
        return ask(timed(replace(request, thread=Thread())))
    except LLMConfigError as error:
        option = error.refused_parameter
        if option in request.options:
            provider.record_refused(option)
            return ask(timed(_without_options(request, provider, [option])))
        # The server or model may not support schemas. If the cause is another one, the second call fails too.
        if request.schema is None:
            raise
        return ask(timed(replace(request, schema=None)))


def _seconds_left(until: float) -> float:
    return until - time.monotonic()


def _fit(messages: list[dict[str, Any]], limit: int | None, tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Remove the oldest messages of the history until the messages fit the model's context window.

    Whole turns are removed, each from one user message to the next, so that no tool call loses its result.

    Args:
        messages: system message, history, user message.
        limit: the size of the context window in tokens; None if unknown.
        tools: definitions of the tools, which count too.

    Raises:
        ContextWindowExceeded: too long even without any history.
    """
    if limit is None:
        return messages
    room = int(limit * (1 - ANSWER_SHARE))
    texts = [json.dumps(part, ensure_ascii=False) for part in (*messages, list(tools))]
    # A text never has more tokens than bytes, so counting is rarely necessary.
    if sum(len(text.encode()) for text in texts) <= room:
        return messages
    *tokens, for_tools = [count_tokens(text) for text in texts]
    start, end = 1, len(messages) - 1
    room -= for_tools + tokens[0] + tokens[-1]
    if room < 0:
        raise ContextWindowExceeded
    while start < end and sum(tokens[start:end]) > room:
        start += 1
        while start < end and messages[start]["role"] != "user":
            start += 1
    return [messages[0], *messages[start:]]
