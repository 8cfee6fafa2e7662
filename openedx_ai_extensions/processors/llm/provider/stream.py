"""Reads a provider's stream in a separate thread, so that deadlines apply even if a library blocks."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, NoReturn, Protocol

from django.utils.translation import gettext as _

from openedx_ai_extensions.core.http_responses import StreamEvent
from openedx_ai_extensions.core.long_waits import long_wait
from openedx_ai_extensions.exceptions import AIExtensionsError, OutOfTime, RunCancelled, StreamInterrupted
from openedx_ai_extensions.processors.llm.provider.answer_reader import Signal
from openedx_ai_extensions.processors.llm.provider.errors import DeadlineExceeded
from openedx_ai_extensions.processors.llm.provider.types import Reading

HEARTBEAT_SECONDS = 15.0  # of silence after which the consumer gets a heartbeat

# The reading thread sleeps this long after the first text. Otherwise a fast provider could keep the consumer from
# sending that text.
FIRST_TEXT_PAUSE_SECONDS = 0.002

# Time to wait for the token counts after the end of an answer. Some providers never send them, and keep the connection
# open. A provider that has sent them late gets the longer time afterwards.
USAGE_WAIT_SECONDS = 0.04
LONG_USAGE_WAIT_SECONDS = 2.0

Item = str | Signal


class Source(Protocol):
    """A provider's streamed answer.

    Attributes:
        reading: what is known besides the text.
        model: the names of the provider's entry and the model.
    """

    reading: Reading
    model: tuple[str, str]

    def items(self) -> Iterator[Item]:
        """The texts and signals; runs in the thread."""

    def shut_down(self) -> None:
        """Wake the thread, which may be blocked in a read. Called from any thread."""

    def finish(self, *, is_whole: bool) -> None:
        """Clean up, in the thread; ``is_whole`` if ``items`` ended before the stream was closed."""


# Models that have reported token counts after the consumer had stopped waiting for them.
_late_usage_models: set[tuple[str, str]] = set()


class ReaderThread:
    """Runs a source in a daemon thread and passes its items on."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._items: deque[Item] = deque()
        self._error: BaseException | None = None
        self._is_over = False
        self._is_closed = False
        self._is_cancelled = False
        self._waits_for_counts = False
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="llm-stream", daemon=True).start()

    def _run(self) -> None:
        items = self.source.items()
        is_whole = False
        is_first = True
        try:
            for item in items:
                with self._changed:
                    if self._is_closed:
                        break
                    self._items.append(item)
                    self._changed.notify()
                if is_first:
                    is_first = False
                    time.sleep(FIRST_TEXT_PAUSE_SECONDS)
        except BaseException as error:  # noqa: BLE001  # not hidden: raised in the consuming thread
            self._end(error)
        else:
            is_whole = self._end(None)
        finally:
            items.close()  # type: ignore[attr-defined]  # sources are generators
            if self._waits_for_counts and self.source.reading.usage:
                _late_usage_models.add(self.source.model)
            self.source.finish(is_whole=is_whole)

    def _end(self, error: BaseException | None) -> bool:
        with self._changed:
            self._is_over = True
            self._error = error
            self._changed.notify()
            return not self._is_closed

    def get(self, timeout: float) -> Item | None:
        """The texts that have arrived, joined; or the next signal; or None at the end.

        Raises:
            queue.Empty: nothing arrived in ``timeout`` seconds.
            RunCancelled: nothing arrived, and the run was cancelled.
            BaseException: an error of the source.
        """
        with self._changed:
            is_silent = not (self._items or self._is_over)
        if is_silent:
            with long_wait(self._cancel), self._changed:
                is_due = lambda: self._items or self._is_over or self._is_cancelled  # noqa: E731
                self._changed.wait_for(is_due, max(timeout, 0.001))
        with self._changed:
            if not self._items:
                if not self._is_over:
                    raise RunCancelled if self._is_cancelled else queue.Empty
                if self._error is not None:
                    raise self._error
                return None
            item = self._items.popleft()
            if isinstance(item, Signal):
                return item
            texts = [item]
            while self._items and isinstance(self._items[0], str):
                texts.append(str(self._items.popleft()))
            return "".join(texts)

    def _cancel(self) -> None:
        with self._changed:
            self._is_cancelled = True
            self._changed.notify()

    def detach(self, seconds: float) -> None:
        """Let the thread continue after the end of the answer, to wait for token counts for this many seconds."""
        with self._changed:
            self._waits_for_counts = not self.source.reading.usage
        timer = threading.Timer(seconds, self.close)
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """Stop the source, even during a read."""
        with self._changed:
            is_running = not (self._is_over or self._is_closed)
            self._is_closed = True
        if is_running:
            self.source.shut_down()


class Chunks(Generator[bytes, None, None]):
    """The generator interface around ``__next__`` and ``close``, which a subclass implements."""

    def send(self, value: None, /) -> bytes:
        return next(self)

    def throw(self, typ: Any, val: Any = None, tb: Any = None, /) -> bytes:
        self.close()
        return super().throw(typ, val, tb)


class TextStream(Chunks):
    """The model's answer as it arrives: UTF-8 bytes, whole characters only.

    An empty chunk is a heartbeat; it may be a ``StreamEvent``.

    Args:
        reader: provides the items.
        first: items that were already taken from it; None marks its end.
        idle: seconds of silence that end the stream.
        deadline: the ``time.monotonic()`` at which the stream ends.
        on_fault: logs the exception that broke the stream, and returns it as an error of ours.

    Attributes:
        reading: the metadata of the answer; complete after the end.

    Raises (while iterating):
        StreamInterrupted: the provider failed, or was silent for too long.
        OutOfTime: the deadline has passed.
        RunCancelled: the run was cancelled; the provider's connection is closed.
    """

    def __init__(
        self,
        reader: ReaderThread,
        *,
        first: list[Item | None],
        idle: float,
        deadline: float,
        on_fault: Callable[[BaseException], AIExtensionsError | None],
    ) -> None:
        self.reading = reader.source.reading
        self._reader = reader
        self._first = first[::-1]
        self._idle = idle
        self._deadline = deadline
        self._on_fault = on_fault
        self._heard = time.monotonic()
        self._usage_deadline: float | None = None  # set once the provider has reported the end of the answer
        self._is_over = False

    def __next__(self) -> bytes:
        while not self._is_over:
            item = self._first.pop() if self._first else self._next_item()
            if isinstance(item, str):
                if self._usage_deadline is not None:
                    self._usage_deadline = time.monotonic() + LONG_USAGE_WAIT_SECONDS
                return item.encode()
            if item is Signal.THINKING:
                return StreamEvent("status", {"message": _("Thinking…")})
            if item is Signal.WORKING:
                return b""
            if item is None:
                self._is_over = True
            else:
                self._begin_usage_wait(item)
        raise StopIteration

    def _next_item(self) -> Item | None:
        now = time.monotonic()
        limit = min(self._heard + self._idle, self._deadline)
        wait = min(HEARTBEAT_SECONDS, limit - now)
        if self._usage_deadline is not None:
            wait = min(wait, self._usage_deadline - now)
        try:
            item = self._reader.get(wait)
        except queue.Empty:
            if self._usage_deadline is not None and time.monotonic() >= min(self._usage_deadline, limit):
                self._reader.detach(LONG_USAGE_WAIT_SECONDS)
                return None
            if time.monotonic() < limit:
                return Signal.WORKING  # a heartbeat
            is_silent = time.monotonic() >= self._heard + self._idle
            self._break(DeadlineExceeded(), StreamInterrupted if is_silent else OutOfTime)
        except RunCancelled:
            self.close()
            raise
        except BaseException as error:  # noqa: BLE001  # not hidden: logged, and raised as ours
            if self._usage_deadline is not None:
                return None  # the answer was complete already
            self._break(error)
        self._heard = time.monotonic()
        return item

    def _begin_usage_wait(self, signal: Signal) -> None:
        """The provider has reported the end. Token counts may follow, and sometimes more text."""
        is_certain = signal is Signal.FINISHED
        if is_certain and self.reading.usage:
            self._reader.detach(USAGE_WAIT_SECONDS)
            self._is_over = True
            return
        is_short = is_certain and self._reader.source.model not in _late_usage_models
        self._usage_deadline = time.monotonic() + (USAGE_WAIT_SECONDS if is_short else LONG_USAGE_WAIT_SECONDS)

    def _break(self, error: BaseException, kind: type[StreamInterrupted] = StreamInterrupted) -> NoReturn:
        self.close()
        raise kind(reason=self._on_fault(error)) from None

    def close(self) -> None:
        """Stop: closes the provider's connection, unless the answer is complete."""
        if not self._is_over:
            self._is_over = True
            self._reader.close()

    def __del__(self) -> None:
        self.close()
