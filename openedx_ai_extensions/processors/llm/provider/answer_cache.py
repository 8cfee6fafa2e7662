"""Answers that were given before, in LiteLLM's cache, which knows many kinds of stores.

LiteLLM's own use of it (``caching=True``) is no good to us: its keys know neither address nor key of the provider, and
it keeps a stream only when its own stream object, which we read beneath, has seen all of it. So the keys are ours, and
so is the moment when an answer is kept: when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from django.utils.translation import get_language

from openedx_ai_extensions.execution.finish_reason import FinishReason
from openedx_ai_extensions.processors.llm.provider.providers import Provider
from openedx_ai_extensions.processors.llm.provider.types import TOKEN_COUNTS, Completion, Reading, Request

logger = logging.getLogger(__name__)

DEFAULT_TTL_SECONDS = 3600  # seconds that an answer is kept, unless the site says otherwise
DEFAULT_TIMEOUT_SECONDS = 1  # seconds that a Redis may take, unless the site says otherwise
DOWN_SECONDS = 30  # seconds that a store which is down is left alone
KEY_PREFIX = "openedx_ai_extensions:answer"


class AnswerCache:
    """The site's response cache.

    Args:
        cache: LiteLLM's.
    """

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self._down_until: float | None = None

    def get(self, provider: Provider, request: Request) -> Completion | None:
        """What this provider answered to the same request before."""
        if self._is_down():
            return None
        found = self._cache.get_cache(cache_key=_key(provider, request))
        if not isinstance(found, Mapping) or not isinstance(found.get("text"), str):
            self._check_store()
            return None
        reading = Reading(
            usage=dict.fromkeys(TOKEN_COUNTS, 0),
            model_used=str(found.get("model") or provider.model),
            finish_reason=FinishReason.STOP,  # no other answer is kept
        )
        return Completion(found["text"], reading, request)

    def put(self, provider: Provider, request: Request, text: str, model_used: str) -> None:
        if text.strip() and not self._is_down():
            said = json.dumps({"text": text, "model": model_used})
            self._cache.add_cache(said, cache_key=_key(provider, request))

    def _is_down(self) -> bool:
        return self._down_until is not None and time.monotonic() < self._down_until

    def _check_store(self) -> None:
        """LiteLLM takes a store that is down for an empty one. Each use of it would cost a timeout."""
        ping = getattr(self._cache.cache, "sync_ping", None)
        was_down = self._down_until is not None
        try:
            if ping is not None:
                ping()
        except Exception as error:  # noqa: BLE001  # whatever its library raises: it is down
            self._down_until = time.monotonic() + DOWN_SECONDS
            if not was_down:
                logger.warning("llm.cache.down error=%s", type(error).__name__)
            return
        if was_down:
            self._down_until = None
            logger.info("llm.cache.back")


_caches: dict[str, AnswerCache | None] = {}
_caches_lock = threading.Lock()


def answer_cache(litellm: ModuleType, parameters: Mapping[str, Any]) -> AnswerCache | None:
    """The cache that these parameters of LiteLLM's ``Cache`` describe, made at its first use; None, logged once, when
    it cannot be made.
    """
    name = repr(sorted(parameters.items()))
    with _caches_lock:
        if name not in _caches:
            _caches[name] = _make(litellm, parameters)
        return _caches[name]


def _make(litellm: ModuleType, parameters: Mapping[str, Any]) -> AnswerCache | None:
    callbacks = (litellm.input_callback, litellm.success_callback, litellm._async_success_callback)
    before = [list(names) for names in callbacks]
    kind = parameters.get("type", "local")
    try:
        return AnswerCache(litellm.Cache(**{"ttl": DEFAULT_TTL_SECONDS, **_defaults(kind), **parameters}))
    except Exception as error:  # noqa: BLE001  # whatever its many libraries raise, the site goes on without
        logger.error("llm.cache.unusable type=%s error=%s", kind, type(error).__name__)
        return None
    finally:
        # It registers itself for all calls of LiteLLM, which would cost each of them time.
        for names, kept in zip(callbacks, before, strict=True):
            names[:] = kept


def _defaults(kind: str) -> dict[str, Any]:
    if kind != "redis":
        return {}
    # Its own patience, three attempts with pauses, is longer than many an answer takes.
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": DEFAULT_TIMEOUT_SECONDS,
        "socket_connect_timeout": DEFAULT_TIMEOUT_SECONDS,
    }


def _key(provider: Provider, request: Request) -> str:
    """The same only for all that an answer depends on, and for who gives it: name, model, address, key, parameters."""
    parts = [
        provider.name,
        provider.model,
        dict(provider.parameters),
        get_language(),
        [dict(message) for message in request.messages],
        dict(request.options),
    ]
    text = json.dumps(parts, sort_keys=True, default=str)
    return f"{KEY_PREFIX}:{hashlib.sha256(text.encode()).hexdigest()}"
