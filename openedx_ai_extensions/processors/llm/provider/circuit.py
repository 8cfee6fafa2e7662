"""A provider that keeps failing is left alone for a while, so that nobody waits for it; then one call tries it.

One person's requests can fail for reasons of their own, so that is judged by those of several people: it takes so many
failures, of so many people, that are at least half of the requests since the first of them.

What is known of a provider is in the cache that all processes share. When that is down every provider is asked.
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

TRIPPED_SECONDS = 24 * 3600  # seconds after which a provider that nobody asked is like any other
MIN_FAIR_SECONDS = 10  # seconds: who was given less, and did not make it, may be quite well
PROBE_RETRY_SECONDS = 1  # seconds: try again when somebody is just trying whether it works
MIN_PEOPLE = 3  # people whose requests failed
MAX_REQUESTS_PER_FAILURE = 2  # one request in so many failed

WINDOW, OPEN_UNTIL, TRIPPED, PROBE, PROBED = "window", "rests", "tripped", "probe", "probed"
REQUESTS, FAILURES, PEOPLE = "requests", "failures", "people"  # within a window, which begins with a failure

# It is out of order. A provider that is only busy says so itself, and when to come back.
PROVIDER_FAULTS = (ServiceUnavailable, StreamInterrupted, InvalidAPIKey)
# It is in order, and so is its saying no: to a learner's text, a profile's option, a thread.
PROVIDER_REPLIES = (ThreadGone, ContextWindowExceeded, LLMConfigError, AnswerDeclined)

Value = TypeVar("Value")


class CircuitOpen(ServiceUnavailable):
    """The provider kept failing, so it is not asked for now."""


class Circuit:
    """What one call has to do with the state of its provider.

    Args:
        provider: who is asked. An entry that an operator changes is another provider.
        seconds: that the call may take.
        user_id: for whom; None for nobody in particular.

    Raises:
        ProviderRests: it is not to be asked now; says when to come back.
    """

    def __init__(self, provider: Provider, seconds: float, user_id: int | None) -> None:
        self._provider = provider
        self._seconds = seconds
        self._person = user_id or 0
        self._keys = _keys(provider)
        self._limit = int(conf.get("AI_EXTENSIONS_CIRCUIT_BREAKER.FAILURES"))
        self._is_probe = False
        self._window: str | None = None  # of failures, if there were any lately
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
        # Whose try has just failed leaves the next one to others: maybe it was their request.
        if until is None and known.get(self._keys[PROBED]) != self._person:
            self._is_probe = _shared(lambda cache: cache.add(self._keys[PROBE], 1, self._seconds), True)
            if self._is_probe:
                return
        raise CircuitOpen(retry_after=max(math.ceil((until or 0) - time.time()), PROBE_RETRY_SECONDS))

    def began(self) -> None:
        """It answers, so it is in order, whatever becomes of the answer."""
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
        """The call, or its stream, failed of this."""
        reason = error.reason if isinstance(error, StreamInterrupted) and error.reason is not None else error
        if isinstance(error, OutOfTime) or (isinstance(reason, AIExtensionsError) and not reason.reached_provider):
            pass  # it was at work, or knows nothing of the call
        elif isinstance(reason, PROVIDER_REPLIES):
            self.began()
        elif isinstance(reason, PROVIDER_FAULTS) and self._limit and (self._is_probe or self._had_enough_time(reason)):
            self._count()
        self.abandon()

    def abandon(self) -> None:
        """Nobody will know whether it would have worked."""
        if self._is_probe:
            self._is_probe = False
            _shared(lambda cache: cache.delete(self._keys[PROBE]), None)

    def _had_enough_time(self, error: BaseException) -> bool:
        return isinstance(error, InvalidAPIKey) or self._seconds >= min(
            MIN_FAIR_SECONDS, self._provider.first_byte_timeout
        )

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
        """Count this failure; returns how many there were lately, if they are too many."""
        seconds = conf.get("AI_EXTENSIONS_CIRCUIT_BREAKER.WINDOW")
        cache.add(self._keys[WINDOW], f"{self._keys[WINDOW]}:{uuid.uuid4().hex[:16]}", seconds)
        window = cache.get(self._keys[WINDOW])
        if window is None:  # it has ended this moment
            return 0
        # An answer that broke off was counted when it began.
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
    """What is known of a provider.

    Attributes:
        failures: calls that failed lately.
        is_open: it is left alone.
        seconds: until it is tried again; 0 when the next call does.
    """

    failures: int = 0
    is_open: bool = False
    seconds: int = 0


def status(provider: Provider) -> CircuitStatus:
    """What is known of it at this moment; nothing changes by looking, and nothing is known while the cache is down."""
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
    except ValueError:  # the window has ended this moment
        return 1


def _shared(use: Callable[[BaseCache], Value], otherwise: Value) -> Value:
    """What the shared cache says; ``otherwise`` when it is down."""
    with tolerated_outage("llm.circuit.cache_down"):
        return use(shared_cache())
    return otherwise
