"""The part of Django's default cache that every process of LMS and Studio shares."""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from django.core.cache import CacheHandler
from django.core.cache.backends.base import BaseCache
from django.core.signals import setting_changed

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
