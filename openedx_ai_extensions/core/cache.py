"""The cache that every process of LMS and Studio shares, how to go on while a cache is down, and the version of the
configuration, which is kept there.

The version is a random token, so a lost one never returns. Each change of a profile, a scope or a prompt replaces it;
readers of cached configuration compare it first.
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

# The client libraries of Django's cache backends, by name: importing one just for its errors takes a third of a second.
_CLIENTS = frozenset({"redis", "django_redis", "pymemcache", "pylibmc"})
_VERSION_KEY = "generation"
_OUTAGE_EVENT = "scope.cache.down"  # in the log
_handles = threading.local()
_uncommitted = threading.local()

Rows = TypeVar("Rows")


def shared_cache() -> BaseCache:
    """This thread's handle: backends promise no more than that one thread may use one."""
    try:
        handle: BaseCache = _handles.cache
    except AttributeError:
        # LMS and Studio share a cache server but not a key prefix: what is here must be the same for both.
        shared = {**settings.CACHES["default"], "KEY_PREFIX": "openedx_ai_extensions"}
        handle = _handles.cache = CacheHandler({"default": shared})["default"]
    return handle


def _forget_cache(*, setting: str, **_kwargs: Any) -> None:
    global _handles  # noqa: PLW0603  # every thread's handle goes at once
    if setting == "CACHES":
        _handles = threading.local()


setting_changed.connect(_forget_cache)


def is_outage(error: Exception) -> bool:
    """Does this exception say that the cache cannot be reached?"""
    modules = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    return isinstance(error, OSError) or not _CLIENTS.isdisjoint(modules)


@contextmanager
def tolerated_outage(event: str = "") -> Iterator[None]:
    """Context manager that ends its block, without an error, where the cache cannot be reached.

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
    """The present token; None when nothing may be answered from a cache: it is down, or we have uncommitted changes."""
    if getattr(_uncommitted, "connection", None) is not None and _has_uncommitted_changes():
        return None
    try:
        cache = shared_cache()
        token: str | None = cache.get(_VERSION_KEY)
        if not token:  # agree with the other processes on one; there is none where the cache keeps nothing
            cache.add(_VERSION_KEY, uuid.uuid4().hex, timeout=None)
            token = cache.get(_VERSION_KEY)
        return token
    except Exception as error:  # as ``tolerated_outage``, which would add a fifth to the time of a resolution
        if not is_outage(error):
            raise
        logger.warning("%s error=%s", _OUTAGE_EVENT, type(error).__name__)
        return None


def bump_version(using: str | None = None) -> None:
    """Tell every process that configuration changed: now, and once more when the transaction commits.

    The first lets this very transaction's readers in other code see it; the second outdates what others cached from the
    still uncommitted state.
    """
    _replace_version()
    connection = transaction.get_connection(using)
    if connection.in_atomic_block:
        _uncommitted.connection = connection
        transaction.on_commit(_replace_version, using=using)


def _replace_version() -> None:
    # While it is down readers cannot reach the token either, so they ask the database; those that can again do so
    # within the bound of AI_EXTENSIONS_RESOLUTION_MAX_AGE.
    with tolerated_outage(_OUTAGE_EVENT):
        shared_cache().set(_VERSION_KEY, uuid.uuid4().hex, timeout=None)


def _has_uncommitted_changes() -> bool:
    """Is our callback still waiting for the commit? A commit runs it, a rollback drops it."""
    pending = any(entry[1] is _replace_version for entry in _uncommitted.connection.run_on_commit)
    if not pending:
        _uncommitted.connection = None
    return pending


def cached_until_changed(max_age: Callable[[], float]) -> Callable[[Callable[[], Rows]], Callable[[], Rows]]:
    """Decorator that caches what a function without arguments reads of the configuration.

    Args:
        max_age: seconds after which it is read again, news or not: without a shared cache no news comes.
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
