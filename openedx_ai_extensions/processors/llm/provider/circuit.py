"""A circuit breaker for each provider: one that keeps failing is skipped for a while; then a single call probes it.

One person's requests may fail for reasons of their own, so the circuit opens only after a number of failures of several
people, which must also be at least half of the requests since the first failure.
The state is in the shared cache of all processes. While that cache is down, every provider is called.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.cache.backends.base import BaseCache

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.cache import shared_cache, tolerated_outage
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    AnswerDeclined,
    ContextWindowExceeded,
    InvalidAPIKey,
    LLMConfigError,
    OutOfTime,
    ServiceUnavailable,
    StreamInterrupted,
    ThreadGone,
)
from openedx_ai_extensions.processors.llm.provider.providers import Provider

logger = logging.getLogger(__name__)

TRIPPED_SECONDS = 24 * 3600  # lifetime of the open state of a provider that is not called
MIN_FAIR_SECONDS = 10  # failures of calls with less time are not counted
PROBE_RETRY_SECONDS = 1  # delay for retries while another call probes the provider
MIN_PEOPLE = 3  # with failed requests
MAX_REQUESTS_PER_FAILURE = 2  # the circuit opens if at least one request in this many failed

WINDOW, OPEN_UNTIL, TRIPPED, PROBE, PROBED = "window", "rests", "tripped", "probe", "probed"
REQUESTS, FAILURES, PEOPLE = "requests", "failures", "people"  # counters of a window, which starts with a failure

# Errors that indicate an outage. A provider that is only busy reports that itself, with a delay.
PROVIDER_FAULTS = (ServiceUnavailable, StreamInterrupted, InvalidAPIKey)
# Errors that a working provider returns, because of a text, an option or a thread.
PROVIDER_REPLIES = (ThreadGone, ContextWindowExceeded, LLMConfigError, AnswerDeclined)

Value = TypeVar("Value")


class CircuitOpen(ServiceUnavailable):
    """The provider kept failing and is skipped."""


class Circuit:
    """The circuit breaker for one call.

    Args:
        provider: the provider. An entry that an operator changes counts as a different provider.
        seconds: the maximum duration of the call.
        user_id: the person; None if unknown.

    Raises:
        CircuitOpen: the provider is skipped; contains the time to retry.
    """

    def __init__(self, provider: Provider, seconds: float, user_id: int | None) -> None:
        self._provider = provider
        self._seconds = seconds
        self._person = user_id or 0
        self._keys = _keys(provider)
        self._limit = int(conf.get("AI_EXTENSIONS_CIRCUIT_BREAKER.FAILURES"))
        self._is_probe = False
        self._window: str | None = None  # key of the current window of failures, if any
        self._has_begun = False
        if self._limit:
            self._require_closed()

    def _require_closed(self) -> None:
        nothing: dict[str, Any] = {}
        known = _shared(lambda cache: cache.get_many(self._keys.values()), nothing)
        self._window = known.get(self._keys[WINDOW])
        if self._keys[TRIPPED] not in known:
            return
        until = known.get(self._keys[OPEN_UNTIL])
        # A person whose probe has failed leaves the next one to others: the request itself may be the cause.
        if until is None and known.get(self._keys[PROBED]) != self._person:
            self._is_probe = _shared(lambda cache: cache.add(self._keys[PROBE], 1, self._seconds), True)
            if self._is_probe:
                return
        raise CircuitOpen(retry_after=max(math.ceil((until or 0) - time.time()), PROBE_RETRY_SECONDS))

    def began(self) -> None:
        """The provider has started to answer, so it works."""
        if self._has_begun:
            return
        self._has_begun = True
        if self._is_probe:
            self._is_probe = False
            _shared(lambda cache: cache.delete_many(self._keys.values()), None)
            logger.warning("llm.circuit.closed provider=%s model=%s", self._provider.name, self._provider.model)
        elif self._window is not None:
            window = self._window
            _shared(lambda cache: _one_more(cache, window, REQUESTS), 0)

    def failed(self, error: BaseException) -> None:
        """The call or its stream has failed."""
        reason = error.reason if isinstance(error, StreamInterrupted) and error.reason is not None else error
        if isinstance(error, OutOfTime) or (isinstance(reason, AIExtensionsError) and not reason.reached_provider):
            pass  # the provider was working, or does not know of the call
        elif isinstance(reason, PROVIDER_REPLIES):
            self.began()
        elif isinstance(reason, PROVIDER_FAULTS) and self._limit:
            had_enough_time = self._seconds >= min(MIN_FAIR_SECONDS, self._provider.first_byte_timeout)
            if self._is_probe or had_enough_time or isinstance(reason, InvalidAPIKey):
                self._count()
        self.abandon()

    def abandon(self) -> None:
        """End the call without a result for the circuit."""
        if self._is_probe:
            self._is_probe = False
            _shared(lambda cache: cache.delete(self._keys[PROBE]), None)

    def _count(self) -> None:
        failures = _shared(self._failures_if_too_many, 0)
        if not self._is_probe and not failures:
            return
        rest = conf.get("AI_EXTENSIONS_CIRCUIT_BREAKER.COOLDOWN")

        def open_it(cache: BaseCache) -> bool:
            cache.set(self._keys[OPEN_UNTIL], time.time() + rest, rest)
            if self._is_probe:
                cache.set(self._keys[PROBED], self._person, 2 * rest)
            is_new: bool = cache.add(self._keys[TRIPPED], 1, TRIPPED_SECONDS)
            cache.delete(self._keys[WINDOW])
            return is_new

        is_new = _shared(open_it, False)
        event = "opened" if is_new else "stays_open"
        logger.warning(
            "llm.circuit.%s provider=%s model=%s failures=%s rest=%s",
            event, self._provider.name, self._provider.model, failures, rest,
        )  # fmt: skip

    def _failures_if_too_many(self, cache: BaseCache) -> int:
        """Count this failure. Returns the number of recent failures if the circuit must open, otherwise 0."""
        seconds = conf.get("AI_EXTENSIONS_CIRCUIT_BREAKER.WINDOW")
        cache.add(self._keys[WINDOW], f"{self._keys[WINDOW]}:{uuid.uuid4().hex[:16]}", seconds)
        window = cache.get(self._keys[WINDOW])
        if window is None:  # the window has just expired
            return 0
        # An interrupted answer was counted when it started.
        requests = _number(cache, window, REQUESTS) if self._has_begun else _one_more(cache, window, REQUESTS)
        failures = _one_more(cache, window, FAILURES)
        is_new = cache.add(f"{window}:{self._person}", 1, seconds)
        people = _one_more(cache, window, PEOPLE) if is_new else _number(cache, window, PEOPLE)
        are_many = failures >= self._limit and people >= min(MIN_PEOPLE, self._limit)
        return failures if are_many and failures * MAX_REQUESTS_PER_FAILURE >= requests else 0


def _keys(provider: Provider) -> dict[str, str]:
    entry = json.dumps([provider.name, provider.model, dict(provider.parameters)], sort_keys=True, default=str)
    name = hashlib.sha256(entry.encode()).hexdigest()[:32]
    return {what: f"circuit:{name}:{what}" for what in (WINDOW, OPEN_UNTIL, TRIPPED, PROBE, PROBED)}


@dataclass(frozen=True, slots=True)
class CircuitStatus:
    """The state of a provider's circuit.

    Attributes:
        failures: recent failed calls.
        is_open: the provider is skipped.
        seconds: time until it is probed; 0 if the next call probes it.
    """

    failures: int = 0
    is_open: bool = False
    seconds: int = 0


def status(provider: Provider) -> CircuitStatus:
    """Read the state of a provider's circuit without changing it. Empty while the cache is down."""
    keys = _keys(provider)
    nothing: dict[str, Any] = {}
    known = _shared(lambda cache: cache.get_many(keys.values()), nothing)
    rests = known.get(keys[OPEN_UNTIL])
    seconds = 0 if rests is None else max(math.ceil(rests - time.time()), 1)
    window = known.get(keys[WINDOW])
    failures = 0 if window is None else _shared(lambda cache: _number(cache, window, FAILURES), 0)
    return CircuitStatus(failures, keys[TRIPPED] in known, seconds)


def _number(cache: BaseCache, window: str, what: str) -> int:
    return int(cache.get(f"{window}:{what}", 0))


def _one_more(cache: BaseCache, window: str, what: str) -> int:
    key = f"{window}:{what}"
    cache.add(key, 0, conf.get("AI_EXTENSIONS_CIRCUIT_BREAKER.WINDOW"))
    try:
        return int(cache.incr(key))
    except ValueError:  # the window has just expired
        return 1


def _shared(use: Callable[[BaseCache], Value], otherwise: Value) -> Value:
    """Use the shared cache; returns ``otherwise`` while it is down."""
    with tolerated_outage("llm.circuit.cache_down"):
        return use(shared_cache())
    return otherwise
