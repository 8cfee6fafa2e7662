"""Calls that may hang, each in a thread that can be left behind."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from django.utils import translation

from openedx_ai_extensions.core.connection_release import cancellable, current_cancellation, long_wait
from openedx_ai_extensions.exceptions import RunCancelled

Value = TypeVar("Value")


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
    language, cancellation = translation.get_language(), current_cancellation()
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
