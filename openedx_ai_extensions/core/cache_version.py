"""The generation of all configuration: one token in the cache that every process of LMS and Studio shares.

Whoever changes a profile, a scope or a prompt puts a new token there; whoever resolves looks at it first. The token is
random, so a lost one can never come back as an old one.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from django.db import transaction

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.cache import shared_cache, tolerated_outage

KEY = "generation"
OUTAGE = "scope.cache.down"  # in the log
_uncommitted = threading.local()

Rows = TypeVar("Rows")


def current() -> str | None:
    """The present token; None when nothing may be answered from a cache: it is down, or we have uncommitted changes."""
    if getattr(_uncommitted, "connection", None) is not None and _has_uncommitted_changes():
        return None
    with tolerated_outage(OUTAGE):
        token: str | None = shared_cache().get(KEY)
        return token or _new_token()
    return None


def _new_token() -> str | None:
    """Agree with the other processes on a token; None where the cache keeps nothing."""
    cache = shared_cache()
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
    # While it is down readers cannot reach the token either, so they ask the database; those that can again do so
    # within the bound of AI_EXTENSIONS_RESOLUTION_MAX_AGE.
    with tolerated_outage(OUTAGE):
        shared_cache().set(KEY, uuid.uuid4().hex, timeout=None)


def _has_uncommitted_changes() -> bool:
    """Is our callback still waiting for the commit? A commit runs it, a rollback drops it."""
    pending = any(entry[1] is _replace_token for entry in _uncommitted.connection.run_on_commit)
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
            token = current()
            return ask() if token is None else cached(token, time.monotonic() // max_age())

        conf.when_changed(cached.cache_clear)
        return through_cache

    return decorate
