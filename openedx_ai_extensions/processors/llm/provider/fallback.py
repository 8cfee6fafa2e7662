"""Calls a profile's provider, and its fallbacks if it fails before its answer starts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from openedx_ai_extensions.core import conf
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
from openedx_ai_extensions.processors.llm.provider import gateway, model_info
from openedx_ai_extensions.processors.llm.provider.messages import fit
from openedx_ai_extensions.processors.llm.provider.providers import Provider, find_provider
from openedx_ai_extensions.processors.llm.provider.types import Request, Thread

logger = logging.getLogger(__name__)

MIN_SECONDS_LEFT = 1.0  # no further provider is called with less time left

# Errors of the provider or its entry, as opposed to errors of the request.
PROVIDER_ERRORS = (ServiceUnavailable, ProviderRateLimited, InvalidAPIKey, LLMConfigError)

Value = TypeVar("Value")


def call_with_fallbacks(request: Request, ask: Callable[[Request], Value]) -> Value:
    """Call the request's provider; if it fails, the next of its ``fallbacks``, and so on.

    A fallback gets all messages, but no thread and no hosted tools of the first provider. Options that a model does not
    support are removed.

    ``request.seconds`` is the time for all of them: while there are further fallbacks, each call gets an equal share of
    the remaining time.

    Args:
        request: the request.
        ask: calls one provider.

    Raises:
        AIExtensionsError: the error of the last provider.
    """
    until = time.monotonic() + (gateway.total_seconds(request.provider) if request.seconds is None else request.seconds)
    request = replace(request, run=request.run or Run(user=None))
    names = list(_provider_names(request))
    failed: tuple[str, AIExtensionsError] | None = None
    for position, name in enumerate(names):
        if failed and not (_seconds_left(until) > MIN_SECONDS_LEFT and _can_replace(name, *failed)):
            continue
        try:
            return _ask_one(_adapted(request, name), ask, until, others=len(names) - position - 1)
        except RunCancelled:
            raise
        except AIExtensionsError as error:
            # That the text is too long for a fallback does not explain the first failure.
            if failed is None or not isinstance(error, ContextWindowExceeded):
                failed = (name, error)
            if position + 1 < len(names):
                logger.warning("llm.fallback provider=%s code=%s", name, error.code)
    if failed is None:
        raise AssertionError
    raise failed[1] from None


def _provider_names(request: Request) -> Iterator[str]:
    """The names of the providers to call, without duplicates."""
    seen = set()
    for name in (request.provider, *request.fallbacks):
        try:
            provider = find_provider(name)
        except LLMConfigError:
            if name == request.provider:
                raise
            logger.warning("llm.fallback.unknown name=%s known=%s", name, ",".join(conf.providers()))
            continue
        if provider.name not in seen:
            seen.add(provider.name)
            yield name


def _can_replace(name: str, failed: str, error: AIExtensionsError) -> bool:
    """Could this provider succeed after that error? Not if the request itself is the cause."""
    if isinstance(error, ContextWindowExceeded):
        needed, offered = model_info.context_tokens(failed), model_info.context_tokens(name)
        return needed is not None and offered is not None and offered > needed
    if isinstance(error, QuotaExceeded):
        return error.extra["scope"] == "provider"
    return isinstance(error, PROVIDER_ERRORS)


def _adapted(request: Request, name: str) -> Request:
    """Adapt the request to a provider.

    Raises:
        ContextWindowExceeded: it is too long even without any history.
    """
    provider = find_provider(name)
    messages, thread = [dict(message) for message in request.messages], request.thread
    if request.may_trim:
        messages = fit(messages, model_info.context_tokens(name), request.tools, model_info.count_tokens)
        if thread is not None and thread.response_id:
            thread = Thread(thread.response_id, known=len(messages) - 1)
    schema = request.schema if provider.capabilities.structured_output else None
    asked = replace(request, messages=messages, thread=thread, schema=schema, fallbacks=(), may_trim=False)
    asked = _without_options(asked, provider, model_info.unsupported_options(provider, request.options))
    if name == request.provider:
        return asked
    return replace(asked, provider=name, thread=None, hosted_tools=())


def _without_options(request: Request, provider: Provider, names: Sequence[str]) -> Request:
    if not names:
        return request
    logger.warning(
        "llm.options_dropped provider=%s model=%s options=%s", provider.name, provider.model, ",".join(sorted(names))
    )
    return replace(request, options={name: value for name, value in request.options.items() if name not in names})


def _ask_one(request: Request, ask: Callable[[Request], Value], until: float, *, others: int) -> Value:
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
            provider = find_provider(request.provider)
            model_info.record_refused(provider, option)
            return ask(timed(_without_options(request, provider, [option])))
        # The server or model may not support schemas. If the cause is another one, the second call fails too.
        if request.schema is None:
            raise
        return ask(timed(replace(request, schema=None)))


def _seconds_left(until: float) -> float:
    return until - time.monotonic()
