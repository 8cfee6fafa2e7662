"""Long waits for somebody else, such as a model: where a thread lets go of what others need meanwhile.

A database may hang up in the meantime, so what is written afterwards goes over a connection that works.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol

from django.db import connections


class Holder(Protocol):
    """What this thread holds, and others may have while it waits."""

    def left(self) -> AbstractContextManager[None]:
        """Let go of it; have it again at the end."""


_holder: ContextVar[Holder | None] = ContextVar("ai_waits_holder", default=None)


@contextmanager
def held(holder: Holder) -> Iterator[None]:
    """Have this be let go of in the long waits of this thread."""
    token = _holder.set(holder)
    try:
        yield
    finally:
        _holder.reset(token)


@contextmanager
def long_wait() -> Iterator[None]:
    """Around what blocks this thread for as long as somebody else takes. Uses no database within."""
    holder = _holder.get()
    if holder is None:
        yield
    else:
        with holder.left():
            yield


def reconnect() -> None:
    """Close this thread's connections to databases that have hung up: the next query opens new ones."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.in_atomic_block and not connection.is_usable():
            connection.close()
