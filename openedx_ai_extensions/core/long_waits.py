"""Long waits, such as for a model: the thread returns its database connections, and stops waiting if it is cancelled.

A database may close idle connections meanwhile; the next query opens new ones. A call that may hang runs in a thread
that can be abandoned.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, TypeVar

from django.db import connections
from django.utils import translation

from openedx_ai_extensions.exceptions import RunCancelled

Value = TypeVar("Value")


class Holder(Protocol):
    """Something that this thread holds and can return while it waits, such as its database connections."""

    def released(self) -> AbstractContextManager[None]:
        """Context manager: return it at the start, and get it back at the end."""


class Cancellation:
    """Ends the waits of a run that is cancelled. Thread-safe."""

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
        """Inside the block, ``wake`` is called when the run is cancelled, or at once if it was cancelled before."""
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


class _ThisThread(threading.local):
    """The holder and the cancellation of a thread. Not context variables: a thread with a copy of another thread's
    context would return what the other thread holds.
    """

    holder: Holder | None = None
    cancellation: Cancellation | None = None


_this_thread = _ThisThread()


@contextmanager
def held(holder: Holder) -> Iterator[None]:
    """Inside the block, long waits of this thread return this holder."""
    before, _this_thread.holder = _this_thread.holder, holder
    try:
        yield
    finally:
        _this_thread.holder = before


@contextmanager
def cancellable(cancellation: Cancellation | None) -> Iterator[None]:
    """Inside the block, this cancellation ends waits of this thread; None for work that cannot be cancelled."""
    before, _this_thread.cancellation = _this_thread.cancellation, cancellation
    try:
        yield
    finally:
        _this_thread.cancellation = before


def require_wanted() -> None:
    """Raise RunCancelled if the current run was cancelled."""
    cancellation = _this_thread.cancellation
    if cancellation is not None and cancellation.is_cancelled:
        raise RunCancelled


@contextmanager
def long_wait(wake: Callable[[], None] | None = None) -> Iterator[None]:
    """Context manager for calls that block for as long as a model, a tool or a client takes. Do not use the database
    inside, and do not hold a lock: at the end, this thread waits for connections that other threads may hold.

    Args:
        wake: called to end the wait when the run is cancelled, by another thread or, at the start, by this one. None
            for a wait that ends by itself.
    """
    holder, cancellation = _this_thread.holder, _this_thread.cancellation
    with (
        nullcontext() if holder is None else holder.released(),
        nullcontext() if wake is None or cancellation is None else cancellation.waking(wake),
    ):
        yield


def pause(seconds: float) -> None:
    """Sleep.

    Raises:
        RunCancelled: the run is cancelled.
    """
    woken = threading.Event()
    with long_wait(woken.set):
        woken.wait(seconds)
    require_wanted()


def reconnect() -> None:
    """Close this thread's connections that the database has closed, so that the next query opens new ones."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.in_atomic_block and not connection.is_usable():
            connection.close()


class TookTooLong(Exception):
    """The call did not end in time."""


def in_thread(call: Callable[[], Value], seconds: float, name: str) -> Value:
    """Run a call in a thread, and return what it returns. This thread waits in a ``long_wait``.

    Args:
        call: runs with the language and the cancellation of this thread, but not with its database connections; it
            must close those that it opens.
        seconds: after which the thread is abandoned.
        name: the name of the thread.

    Raises:
        TookTooLong: the time is up.
        RunCancelled: the run was cancelled.
        RuntimeError: no thread can be started.
    """
    language, cancellation = translation.get_language(), _this_thread.cancellation
    answers: queue.SimpleQueue[tuple[Value | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            with translation.override(language), cancellable(cancellation):
                answers.put((call(), None))
        except BaseException as error:  # noqa: BLE001  # not hidden: raised in the thread that waits
            answers.put((None, error))

    threading.Thread(target=work, name=name, daemon=True).start()
    try:
        with long_wait(lambda: answers.put((None, RunCancelled()))):
            answer, error = answers.get(timeout=max(seconds, 0.001))
    except queue.Empty:
        raise TookTooLong from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]  # there is one where there is no error
