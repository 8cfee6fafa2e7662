"""Retries of provider calls, within a time limit."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from openedx_ai_extensions.core import deadlines
from openedx_ai_extensions.core.connection_release import pause, require_wanted
from openedx_ai_extensions.exceptions import AIExtensionsError, RunCancelled, ServiceUnavailable
from openedx_ai_extensions.processors.llm.provider.connections import Transmission
from openedx_ai_extensions.processors.llm.provider.errors import DeadlineExceeded, has_timed_out, may_retry, translate
from openedx_ai_extensions.processors.llm.provider.providers import Provider

logger = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.5  # before the first retry; doubles each time
MAX_WAIT_WITH_FALLBACK_SECONDS = 2.0  # maximum wait before a retry if there is a fallback provider

Value = TypeVar("Value")


def with_retries(
    attempt: Callable[[float, Transmission], Value], provider: Provider, total: float, *, has_fallback: bool = False
) -> Value:
    """Retry a call until it succeeds, retries are used up or pointless, or the time is up.

    Args:
        attempt: called with the deadline (``time.monotonic()``) and the object that tracks its requests.
        provider: the provider.
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
            require_wanted()
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
        pause(wait)
        logger.info("llm.retry provider=%s attempt=%s", provider.name, number + 2)
    raise ServiceUnavailable


def _wait(number: int, error: AIExtensionsError) -> float:
    """Seconds until the next attempt: as the provider requests, otherwise doubling with jitter."""
    if error.retry_after is not None:
        return error.retry_after
    return FIRST_WAIT_SECONDS * 2**number * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, guards nothing


def in_thread(call: Callable[[], Any], deadline: float, give_up: Callable[[], None]) -> Any:
    """Run a call that may ignore its timeout in a thread; abandon it when the time is up or the run is cancelled.

    Args:
        call: the call.
        deadline: the ``time.monotonic()`` at which the time is up.
        give_up: called to end an abandoned call.

    Raises:
        DeadlineExceeded: the time is up.
        RunCancelled: the run was cancelled.
    """
    try:
        return deadlines.in_thread(call, deadline - time.monotonic(), "llm-call")
    except deadlines.TookTooLong:
        give_up()
        raise DeadlineExceeded from None
    except RunCancelled:
        give_up()
        raise
