"""The generation of all configuration: one token in the cache that every process of LMS and Studio shares.

Whoever changes a profile, a scope or a prompt puts a new token there; whoever resolves looks at it first. The token is
random, so a lost one can never come back as an old one.
"""

from __future__ import annotations

import logging
import threading
import uuid
from typing import Any

from django.conf import settings
from django.core.cache import CacheHandler
from django.core.cache.backends.base import BaseCache
from django.core.signals import setting_changed
from django.db import transaction

from openedx_ai_extensions.workflows.outage import is_outage

logger = logging.getLogger(__name__)

KEY = "generation"
_uncommitted = threading.local()
_handles = threading.local()


def _cache() -> BaseCache:
    """This thread's handle: backends promise no more than that one thread may use one."""
    try:
        handle: BaseCache = _handles.cache
    except AttributeError:
        # LMS and Studio share a cache server but not a key prefix: this token must be the same for both.
        shared = {**settings.CACHES["default"], "KEY_PREFIX": "openedx_ai_extensions"}
        handle = _handles.cache = CacheHandler({"default": shared})["default"]
    return handle


def current() -> str | None:
    """The present token; None when nothing may be answered from a cache: it is down, or we have uncommitted changes."""
    if getattr(_uncommitted, "connection", None) is not None and _has_uncommitted_changes():
        return None
    try:
        token: str | None = _cache().get(KEY)
        return token or _new_token()
    except Exception as error:
        if not is_outage(error):
            raise
        logger.warning("scope.cache.down error=%s", type(error).__name__)
        return None


def _new_token() -> str | None:
    """Agree with the other processes on a token; None where the cache keeps nothing."""
    cache = _cache()
    cache.add(KEY, uuid.uuid4().hex, timeout=None)
    token: str | None = cache.get(KEY)
    return token


def bump(using: str | None = None) -> None:
    """Tell every process that configuration changed: now, and once more when the transaction commits.

    The first lets this very transaction's readers in other code see it; the second outdates what others cached from the
    still uncommitted state.
    """
    _replace_token()
    connection = transaction.get_connection(using)
    if connection.in_atomic_block:
        _uncommitted.connection = connection
        transaction.on_commit(_replace_token, using=using)


def _replace_token() -> None:
    try:
        _cache().set(KEY, uuid.uuid4().hex, timeout=None)
    except Exception as error:
        if not is_outage(error):
            raise
        # Readers cannot reach the token either, so they ask the database; those that can again do so within the
        # bound of AI_EXTENSIONS_RESOLUTION_MAX_AGE.
        logger.warning("scope.cache.down error=%s", type(error).__name__)


def _has_uncommitted_changes() -> bool:
    """Is our callback still waiting for the commit? A commit runs it, a rollback drops it."""
    pending = any(entry[1] is _replace_token for entry in _uncommitted.connection.run_on_commit)
    if not pending:
        _uncommitted.connection = None
    return pending


def _forget_cache(*, setting: str, **_kwargs: Any) -> None:
    global _handles  # noqa: PLW0603  # every thread's handle goes at once
    if setting == "CACHES":
        _handles = threading.local()


setting_changed.connect(_forget_cache)
