"""The response cache: LiteLLM's cache backends with our own keys.

LiteLLM's own caching (``caching=True``) is not suitable: its keys contain neither the provider's address nor its key,
and it stores a stream only if its own stream object has read all of it, but we read below that object. Here, an answer
is stored once it is complete.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.execution.answers import FinishReason
from openedx_ai_extensions.processors.llm.provider.library import litellm_module
from openedx_ai_extensions.processors.llm.provider.providers import Provider, find_provider
from openedx_ai_extensions.processors.llm.provider.types import TOKEN_COUNTS, Completion, Reading, Request

logger = logging.getLogger(__name__)

DEFAULT_TTL_SECONDS = 3600  # of an answer
DEFAULT_TIMEOUT_SECONDS = 1  # of Redis
DOWN_SECONDS = 30  # time without requests to an unreachable store
KEY_PREFIX = "openedx_ai_extensions:answer"


class AnswerCache:
    """The site's response cache.

    Args:
        cache: LiteLLM's cache object.
    """

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self._down_until: float | None = None

    def get(self, request: Request) -> Completion | None:
        """The stored answer of this provider to the same request, or None."""
        if self._is_down():
            return None
        provider = find_provider(request.provider)
        found = self._cache.get_cache(cache_key=_key(provider, request))
        if not isinstance(found, Mapping) or not isinstance(found.get("text"), str):
            self._check_store()
            return None
        reading = Reading(
            usage=dict.fromkeys(TOKEN_COUNTS, 0),
            model_used=str(found.get("model") or provider.model),
            finish_reason=FinishReason.STOP,  # only complete answers are stored
        )
        return Completion(found["text"], reading, request)

    def put(self, request: Request, text: str, model_used: str) -> None:
        """Store a complete answer."""
        if text.strip() and not self._is_down():
            said = json.dumps({"text": text, "model": model_used})
            self._cache.add_cache(said, cache_key=_key(find_provider(request.provider), request))

    def _is_down(self) -> bool:
        return self._down_until is not None and time.monotonic() < self._down_until

    def _check_store(self) -> None:
        """LiteLLM reports an unreachable store as empty; each use would cost a timeout. Check it with a ping."""
        ping = getattr(self._cache.cache, "sync_ping", None)
        was_down = self._down_until is not None
        try:
            if ping is not None:
                ping()
        except Exception as error:  # noqa: BLE001  # the store is down, whatever its library raises
            self._down_until = time.monotonic() + DOWN_SECONDS
            if not was_down:
                logger.warning("llm.cache.down error=%s", type(error).__name__)
            return
        if was_down:
            self._down_until = None
            logger.info("llm.cache.back")


_caches: dict[str, AnswerCache | None] = {}
_caches_lock = threading.Lock()


def response_cache() -> AnswerCache | None:
    """The site's response cache, created at the first use; None if it is disabled, or cannot be created, which is
    logged once.
    """
    if not conf.get("AI_EXTENSIONS_ENABLE_LLM_CACHE"):
        return None
    parameters = conf.get("AI_EXTENSIONS_LLM_CACHE")
    name = repr(sorted(parameters.items()))
    with _caches_lock:
        if name not in _caches:
            _caches[name] = _make(parameters)
        return _caches[name]


def _make(parameters: Mapping[str, Any]) -> AnswerCache | None:
    litellm = litellm_module()
    kind = parameters.get("type", "local")
    try:
        return AnswerCache(litellm.Cache(**{"ttl": DEFAULT_TTL_SECONDS, **_defaults(kind), **parameters}))
    except Exception as error:  # noqa: BLE001  # many libraries, many exceptions; the site works without a cache
        logger.error("llm.cache.unusable type=%s error=%s", kind, type(error).__name__)
        return None


def _defaults(kind: str) -> dict[str, Any]:
    if kind != "redis":
        return {}
    # The default of three attempts with pauses takes longer than many answers.
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": DEFAULT_TIMEOUT_SECONDS,
        "socket_connect_timeout": DEFAULT_TIMEOUT_SECONDS,
    }


def _key(provider: Provider, request: Request) -> str:
    """A key of everything that determines an answer: provider, model, address, API key, parameters, language and
    messages.
    """
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
