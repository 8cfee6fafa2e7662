"""Long waits, such as for a model: where a thread lets go of what others need meanwhile, and ends when it is cancelled.

A database may hang up in the meantime, so what is written afterwards goes over a connection that works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol

from django.db import connections

from openedx_ai_extensions.exceptions import RunCancelled


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


class Cancellation:
    """Ends the waits of a run whose answer is not wanted any more. Any thread cancels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._wakes: list[Callable[[], None]] = []

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled

    def cancel(self) -> None:
        with self._lock:
            self._is_cancelled = True
            wakes = list(self._wakes)
        for wake in wakes:
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Have ``wake`` be called when the run is cancelled within the block, or was before."""
        with self._lock:
            self._wakes.append(wake)
            is_cancelled = self._is_cancelled
        try:
            if is_cancelled:
                wake()
            yield
        finally:
            with self._lock:
                self._wakes.remove(wake)


_cancellation: ContextVar[Cancellation | None] = ContextVar("ai_waits_cancellation", default=None)


@contextmanager
def cancellable(cancellation: Cancellation | None) -> Iterator[None]:
    """Have this end the waits within the block; None for work that goes on whoever wants it."""
    token = _cancellation.set(cancellation)
    try:
        yield
    finally:
        _cancellation.reset(token)


def require_wanted() -> None:
    """Raises RunCancelled if the run under way was cancelled."""
    cancellation = _cancellation.get()
    if cancellation is not None and cancellation.is_cancelled:
        raise RunCancelled


@contextmanager
def cancellable_wait(wake: Callable[[], None]) -> Iterator[None]:
    """Around what blocks this thread.

    Args:
        wake: ends the wait; called by another thread, or by this one at the beginning, when the run is cancelled.
    """
    cancellation = _cancellation.get()
    if cancellation is None:
        yield
    else:
        with cancellation.waking(wake):
            yield


@contextmanager
def long_wait(wake: Callable[[], None] | None = None) -> Iterator[None]:
    """Around what blocks this thread for as long as a model or a client takes. Uses no database within.

    Args:
        wake: as for ``cancellable_wait``; None for a wait that ends by itself.
    """
    holder = _holder.get()
    with (
        nullcontext() if holder is None else holder.left(),
        nullcontext() if wake is None else cancellable_wait(wake),
    ):
        yield


def pause(seconds: float) -> None:
    """Wait this long.

    Raises:
        RunCancelled: the run is cancelled.
    """
    woken = threading.Event()
    with long_wait(woken.set):
        woken.wait(seconds)
    require_wanted()


def reconnect() -> None:
    """Close this thread's connections to databases that have hung up: the next query opens new ones."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.in_atomic_block and not connection.is_usable():
            connection.close()
