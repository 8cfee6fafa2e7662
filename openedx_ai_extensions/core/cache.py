"""The cache that all processes of the LMS and Studio share, handling of its outages, and the configuration's version.

The version is a random token in the cache. Each change of a profile, a scope or a prompt replaces it; readers of
cached configuration compare it first. It is random so that a version that was lost is never used again.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import CacheHandler
from django.core.cache.backends.base import BaseCache
from django.core.signals import setting_changed
from django.db import transaction

from openedx_ai_extensions.core import conf

logger = logging.getLogger(__name__)

# Client libraries of Django's cache backends, by name, because importing one for its error classes takes 0.3 s.
_CLIENTS = frozenset({"redis", "django_redis", "pymemcache", "pylibmc"})
_VERSION_KEY = "generation"
_OUTAGE_EVENT = "scope.cache.down"  # log line
_handles = threading.local()
_uncommitted = threading.local()

Rows = TypeVar("Rows")


def shared_cache() -> BaseCache:
    """This thread's cache object: cache backends are not thread-safe."""
    try:
        handle: BaseCache = _handles.cache
    except AttributeError:
        # The LMS and Studio use one cache server with different key prefixes; these entries must be common to both.
        shared = {**settings.CACHES["default"], "KEY_PREFIX": "openedx_ai_extensions"}
        handle = _handles.cache = CacheHandler({"default": shared})["default"]
    return handle


def _forget_cache(*, setting: str, **_kwargs: Any) -> None:
    global _handles  # noqa: PLW0603  # every thread's handle goes at once
    if setting == "CACHES":
        _handles = threading.local()


setting_changed.connect(_forget_cache)


def is_outage(error: Exception) -> bool:
    """Does this exception mean that the cache cannot be reached?"""
    modules = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    return isinstance(error, OSError) or not _CLIENTS.isdisjoint(modules)


@contextmanager
def tolerated_outage(event: str = "") -> Iterator[None]:
    """Context manager that leaves its block, without an error, if the cache cannot be reached.

    Args:
        event: the name of the warning to log; empty for none.
    """
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        if event:
            logger.warning("%s error=%s", event, type(error).__name__)


def current_version() -> str | None:
    """The current version. None if caches must not be used: the cache is down, or changes are not committed yet."""
    if getattr(_uncommitted, "connection", None) is not None and _has_uncommitted_changes():
        return None
    try:
        cache = shared_cache()
        token: str | None = cache.get(_VERSION_KEY)
        if not token:  # agree on one with other processes; still None with a dummy cache
            cache.add(_VERSION_KEY, uuid.uuid4().hex, timeout=None)
            token = cache.get(_VERSION_KEY)
        return token
    except Exception as error:  # as ``tolerated_outage``, which would add a fifth to the time of a resolution
        if not is_outage(error):
            raise
        logger.warning("%s error=%s", _OUTAGE_EVENT, type(error).__name__)
        return None


def bump_version(using: str | None = None) -> None:
    """Notify all processes of a change of configuration: now, and again when the transaction commits.

    The first makes later reads in this transaction see the change; the second invalidates what other processes cached
    before the commit.
    """
    _replace_version()
    connection = transaction.get_connection(using)
    if connection.in_atomic_block:
        _uncommitted.connection = connection
        transaction.on_commit(_replace_version, using=using)


def _replace_version() -> None:
    # While the cache is down, readers query the database. If only this process cannot reach it, the others notice the
    # change within AI_EXTENSIONS_RESOLUTION_MAX_AGE.
    with tolerated_outage(_OUTAGE_EVENT):
        shared_cache().set(_VERSION_KEY, uuid.uuid4().hex, timeout=None)


def _has_uncommitted_changes() -> bool:
    """Is our on_commit callback still registered? A commit runs it, a rollback removes it."""
    pending = any(entry[1] is _replace_version for entry in _uncommitted.connection.run_on_commit)
    if not pending:
        _uncommitted.connection = None
    return pending


def cached_until_changed(max_age: Callable[[], float]) -> Callable[[Callable[[], Rows]], Callable[[], Rows]]:
    """Decorator that caches the result of a function without arguments until the configuration changes.

    Args:
        max_age: seconds after which the function is called again in any case, for sites without a shared cache.
    """

    def decorate(ask: Callable[[], Rows]) -> Callable[[], Rows]:
        @lru_cache(maxsize=2)
        def cached(_token: str, _bucket: float) -> Rows:
            return ask()

        @wraps(ask)
        def through_cache() -> Rows:
            token = current_version()
            return ask() if token is None else cached(token, time.monotonic() // max_age())

        conf.when_changed(cached.cache_clear)
        return through_cache

    return decorate
