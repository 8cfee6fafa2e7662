"""Calls that may hang, each in a thread that can be left behind."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from django.utils import translation

from openedx_ai_extensions.core.connection_release import cancellable_wait
from openedx_ai_extensions.exceptions import RunCancelled

Value = TypeVar("Value")


class TookTooLong(Exception):
    """Nobody knows how it would have ended."""


def in_thread(
    call: Callable[[], Value],
    seconds: float,
    name: str,
    waiting: Callable[[Callable[[], None]], AbstractContextManager[None]] = cancellable_wait,
) -> Value:
    """What a call returns or raises, if it does so in time.

    Args:
        call: must not use this thread's database connections.
        seconds: until it is left behind.
        name: of its thread.
        waiting: to wait in: gets a function that ends the wait.

    Raises:
        TookTooLong: time is up.
        RunCancelled: the answer is not wanted any more.
        RuntimeError: there are no more threads.
    """
    language = translation.get_language()
    answers: queue.SimpleQueue[tuple[Value | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            # Django keeps the language to a thread.
            with translation.override(language):
                answers.put((call(), None))
        except BaseException as error:  # noqa: BLE001  # not hidden: raised in the thread that waits
            answers.put((None, error))

    threading.Thread(target=work, name=name, daemon=True).start()
    try:
        with waiting(lambda: answers.put((None, RunCancelled()))):
            answer, error = answers.get(timeout=max(seconds, 0.001))
    except queue.Empty:
        raise TookTooLong from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]  # there is one where there is no error
