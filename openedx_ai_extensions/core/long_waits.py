"""Long waits, such as for a model: where a thread lets go of what others need meanwhile, and ends when it is cancelled.

A database may hang up in the meantime, so what is written afterwards goes over a connection that works. A call that may
hang runs in a thread that can be left behind.
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
    """What this thread holds, and others may have while it waits."""

    def released(self) -> AbstractContextManager[None]:
        """Let go of it; have it again at the end."""


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


class _ThisThread(threading.local):
    """What the waits of one thread obey. No context variables: a thread with a copy of another's context would let go
    of what the other one holds.
    """

    holder: Holder | None = None
    cancellation: Cancellation | None = None


_this_thread = _ThisThread()


@contextmanager
def held(holder: Holder) -> Iterator[None]:
    """Have this be let go of in the long waits of this thread."""
    before, _this_thread.holder = _this_thread.holder, holder
    try:
        yield
    finally:
        _this_thread.holder = before


@contextmanager
def cancellable(cancellation: Cancellation | None) -> Iterator[None]:
    """Have this end this thread's waits within the block; None for work that is not cancelled."""
    before, _this_thread.cancellation = _this_thread.cancellation, cancellation
    try:
        yield
    finally:
        _this_thread.cancellation = before


def require_wanted() -> None:
    """Raises RunCancelled if the run under way was cancelled."""
    cancellation = _this_thread.cancellation
    if cancellation is not None and cancellation.is_cancelled:
        raise RunCancelled


@contextmanager
def long_wait(wake: Callable[[], None] | None = None) -> Iterator[None]:
    """Around what blocks this thread for as long as a model, a tool or a client takes. No database is used within.

    Hold no lock that other threads wait for: at the end, this thread waits for what it let go of, which they may hold.

    Args:
        wake: ends the wait; called by another thread, or by this one at the beginning, when the run is cancelled. None
            for a wait that ends by itself.
    """
    holder, cancellation = _this_thread.holder, _this_thread.cancellation
    with (
        nullcontext() if holder is None else holder.released(),
        nullcontext() if wake is None or cancellation is None else cancellation.waking(wake),
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


class TookTooLong(Exception):
    """The call did not end in time."""


def in_thread(call: Callable[[], Value], seconds: float, name: str) -> Value:
    """What a call returns or raises, if it does so in time. This thread waits for it in a ``long_wait``.

    Args:
        call: has the language and the cancellation of this thread, but not its database connections; it closes those
            that it opens.
        seconds: until it is left behind.
        name: of its thread.

    Raises:
        TookTooLong: time is up.
        RunCancelled: the answer is not wanted any more.
        RuntimeError: there are no more threads.
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
