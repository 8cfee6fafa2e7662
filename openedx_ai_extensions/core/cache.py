"""The cache that every process of LMS and Studio shares, and how to go on while a cache is down."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.cache import CacheHandler
from django.core.cache.backends.base import BaseCache
from django.core.signals import setting_changed

logger = logging.getLogger(__name__)

# The client libraries of Django's cache backends, by name: importing one just for its errors takes a third of a second.
_CLIENTS = frozenset({"redis", "django_redis", "pymemcache", "pylibmc"})
_handles = threading.local()


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
