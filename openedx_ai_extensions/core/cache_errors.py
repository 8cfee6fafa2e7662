"""Telling a cache that is down from a fault of ours."""

from __future__ import annotations

# The client libraries of Django's cache backends, by name: importing one just for its errors takes a third of a second.
_CLIENTS = frozenset({"redis", "django_redis", "pymemcache", "pylibmc"})


def is_outage(error: Exception) -> bool:
    """Does this exception say that the cache cannot be reached?"""
    modules = {cls.__module__.partition(".")[0] for cls in type(error).__mro__}
    return isinstance(error, OSError) or not _CLIENTS.isdisjoint(modules)
