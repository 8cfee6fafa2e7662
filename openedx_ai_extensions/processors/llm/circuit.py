"""A provider that keeps failing is left alone for a while, so that nobody waits for it; then one call tries it.

What is known of a provider is in the cache that all processes share. When that is down every provider is asked.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.cache.backends.base import BaseCache

from openedx_ai_extensions import conf
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    AnswerDeclined,
    ContextWindowExceeded,
    InvalidAPIKey,
    LLMConfigError,
    ServiceUnavailable,
    StreamInterrupted,
    ThreadGone,
)
from openedx_ai_extensions.processors.llm.providers import Provider
from openedx_ai_extensions.workflows.outage import is_outage
from openedx_ai_extensions.workflows.shared_cache import shared_cache

logger = logging.getLogger(__name__)

KEPT = 24 * 3600  # seconds after which a provider that nobody asked is like any other
FAIR = 10  # seconds: who was given less, and did not make it, may be quite well
BUSY = 1  # seconds: try again when somebody is just trying whether it works

FAILURES, RESTS, TRIPPED, PROBE = "failures", "rests", "tripped", "probe"

# It is out of order. A provider that is only busy says so itself, and when to come back.
FAULTS = (ServiceUnavailable, StreamInterrupted, InvalidAPIKey)
# It is in order, and so is its saying no: to a learner's text, a profile's option, a thread.
REPLIES = (ThreadGone, ContextWindowExceeded, LLMConfigError, AnswerDeclined)

Value = TypeVar("Value")


class ProviderRests(ServiceUnavailable):
    """The provider kept failing, so it is not asked for now."""


class Circuit:
    """What one call has to do with the state of its provider.

    Args:
        provider: who is asked. An entry that an operator changes is another provider.
        seconds: that the call may take.

    Raises:
        ProviderRests: it is not to be asked now; says when to come back.
    """

    def __init__(self, provider: Provider, seconds: float) -> None:
        self._provider = provider
        self._seconds = seconds
        self._keys = _keys(provider)
        self._limit = int(conf.get("AI_EXTENSIONS_CIRCUIT_FAILURES"))
        self._is_probe = False
        self._had_failed = False
        if self._limit:
            self._require_closed()

    def _require_closed(self) -> None:
        nothing: dict[str, Any] = {}
        known = _shared(lambda cache: cache.get_many(self._keys.values()), nothing)
        self._had_failed = self._keys[FAILURES] in known
        if self._keys[TRIPPED] not in known:
            return
        until = known.get(self._keys[RESTS])
        if until is None:
            self._is_probe = _shared(lambda cache: cache.add(self._keys[PROBE], 1, self._seconds), True)
            if self._is_probe:
                return
            until = time.time() + BUSY
        raise ProviderRests(retry_after=max(math.ceil(until - time.time()), 1))

    def began(self) -> None:
        """It answers. A try that was to show this has shown it."""
        if self._is_probe:
            self.worked()

    def worked(self) -> None:
        """The answer is whole."""
        if self._is_probe:
            self._is_probe = False
            _shared(lambda cache: cache.delete_many(self._keys.values()), None)
            logger.warning("llm.circuit.closed provider=%s model=%s", self._provider.name, self._provider.model)
        elif self._had_failed:
            _shared(lambda cache: cache.delete(self._keys[FAILURES]), None)

    def failed(self, error: BaseException) -> None:
        """The call, or its stream, failed of this."""
        if isinstance(error, AIExtensionsError) and not error.reached_provider:
            pass  # it knows nothing of the call
        elif isinstance(error, REPLIES):
            self.began()
        elif isinstance(error, FAULTS) and self._limit and (self._is_probe or self._had_a_chance(error)):
            self._count()
        self.let_go()

    def let_go(self) -> None:
        """Nobody will know whether it would have worked."""
        if self._is_probe:
            self._is_probe = False
            _shared(lambda cache: cache.delete(self._keys[PROBE]), None)

    def _had_a_chance(self, error: BaseException) -> bool:
        return isinstance(error, InvalidAPIKey) or self._seconds >= min(FAIR, self._provider.first_byte_timeout)

    def _count(self) -> None:
        number = _shared(lambda cache: _one_more(cache, self._keys[FAILURES]), 0)
        if not self._is_probe and number < self._limit:
            return
        rest = conf.get("AI_EXTENSIONS_CIRCUIT_REST")

        def open_it(cache: BaseCache) -> bool:
            cache.set(self._keys[RESTS], time.time() + rest, rest)
            is_new: bool = cache.add(self._keys[TRIPPED], 1, KEPT)
            cache.delete(self._keys[FAILURES])
            return is_new

        is_new = _shared(open_it, False)
        event = "opened" if is_new else "stays_open"
        logger.warning(
            "llm.circuit.%s provider=%s model=%s failures=%s rest=%s",
            event, self._provider.name, self._provider.model, number, rest,
        )  # fmt: skip


def _keys(provider: Provider) -> dict[str, str]:
    entry = json.dumps([provider.name, provider.model, dict(provider.parameters)], sort_keys=True, default=str)
    name = hashlib.sha256(entry.encode()).hexdigest()[:32]
    return {what: f"circuit:{name}:{what}" for what in (FAILURES, RESTS, TRIPPED, PROBE)}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a provider.

    Attributes:
        failures: calls in a row that failed lately.
        is_open: it is left alone.
        seconds: until it is tried again; 0 when the next call does.
    """

    failures: int = 0
    is_open: bool = False
    seconds: int = 0


def standing(provider: Provider) -> Standing:
    """What is known of it at this moment; nothing changes by looking, and nothing is known while the cache is down."""
    keys = _keys(provider)
    nothing: dict[str, Any] = {}
    known = _shared(lambda cache: cache.get_many(keys.values()), nothing)
    rests = known.get(keys[RESTS])
    seconds = 0 if rests is None else max(math.ceil(rests - time.time()), 1)
    return Standing(int(known.get(keys[FAILURES], 0)), keys[TRIPPED] in known, seconds)


def _one_more(cache: BaseCache, key: str) -> int:
    """Count, within a window that begins with the first."""
    cache.add(key, 0, conf.get("AI_EXTENSIONS_CIRCUIT_WINDOW"))
    try:
        return int(cache.incr(key))
    except ValueError:  # the window has ended this moment
        return 1


def _shared(use: Callable[[BaseCache], Value], otherwise: Value) -> Value:
    """What the shared cache says; ``otherwise`` when it is down."""
    try:
        return use(shared_cache())
    except Exception as error:
        if not is_outage(error):
            raise
        logger.warning("llm.circuit.cache_down error=%s", type(error).__name__)
        return otherwise
