"""Who is asked: a profile's provider and, when it fails before it has said anything, those that stand in for it."""

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

MIN_SECONDS_LEFT = 1.0  # seconds: with less left nobody else is asked

# What is the provider's, or its entry's, own trouble.
PROVIDER_ERRORS = (ServiceUnavailable, ProviderRateLimited, InvalidAPIKey, LLMConfigError)

Value = TypeVar("Value")


def call_with_fallbacks(request: Request, ask: Callable[[Request], Value]) -> Value:
    """Ask the request's provider; when it fails, the next of its ``fallbacks``, and so on.

    A stand-in gets all of the messages, and no thread or tools of the provider's own. Options that a model does not
    take are left out.

    ``request.seconds`` are for all of them: while others wait, each has an even share of what is left.

    Args:
        request: what to ask.
        ask: asks one provider.

    Raises:
        AIExtensionsError: of the last that was asked.
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
            # That the text is too long for a stand-in is no answer to whoever asked another.
            if failed is None or not isinstance(error, ContextWindowExceeded):
                failed = (name, error)
            if position + 1 < len(names):
                logger.warning("llm.fallback provider=%s code=%s", name, error.code)
    if failed is None:
        raise AssertionError
    raise failed[1] from None


def _provider_names(request: Request) -> Iterator[str]:
    """The names of those to ask, each provider once."""
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
    """Could this provider do what that one failed to do? What is the request's fault, it would fail of too."""
    if isinstance(error, ContextWindowExceeded):
        needed, offered = model_info.context_tokens(failed), model_info.context_tokens(name)
        return needed is not None and offered is not None and offered > needed
    if isinstance(error, QuotaExceeded):
        return error.extra["scope"] == "provider"
    return isinstance(error, PROVIDER_ERRORS)


def _adapted(request: Request, name: str) -> Request:
    """The request as this provider can take it.

    Raises:
        ContextWindowExceeded: it is too long for it even without any history.
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
    """Ask one provider; once more where a thread, a schema or an option turns out to be of no use there."""

    def timed(asked: Request) -> Request:
        left = max(_seconds_left(until), 0.001)
        return replace(asked, seconds=left, begin_within=left / (others + 1) if others else None)

    try:
        return ask(timed(request))
    except (ThreadGone, ContextWindowExceeded):
        # Lost, or grown too long: what we remember is complete, and cut to fit.
        if request.thread is None or not request.thread.response_id:
            raise
        return ask(timed(replace(request, thread=Thread())))
    except LLMConfigError as error:
        option = error.refused_parameter
        if option in request.options:
            provider = find_provider(request.provider)
            model_info.record_refused(provider, option)
            return ask(timed(_without_options(request, provider, [option])))
        # Maybe this server, or this model, takes no schema. If it was something else it will be so again.
        if request.schema is None:
            raise
        return ask(timed(replace(request, schema=None)))


def _seconds_left(until: float) -> float:
    return until - time.monotonic()
