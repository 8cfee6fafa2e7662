"""A look that may hang, in a thread that can be left behind."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from django.utils import translation

Value = TypeVar("Value")


class TookTooLong(Exception):
    """Nobody knows how it would have ended."""


def within(seconds: float, look: Callable[[], Value]) -> Value:
    """What ``look`` returns or raises, if it does so in time. It must not use the database.

    Raises:
        TookTooLong: time is up; the thread is left to itself.
    """
    answers: queue.SimpleQueue[tuple[Value | None, BaseException | None]] = queue.SimpleQueue()
    language = translation.get_language()

    def work() -> None:
        try:
            # Django keeps the language to a thread.
            with translation.override(language):
                answers.put((look(), None))
        except BaseException as error:  # noqa: BLE001  # not hidden: raised in the thread that waits
            answers.put((None, error))

    threading.Thread(target=work, name="health", daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TookTooLong from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]  # there is one when there is no error
