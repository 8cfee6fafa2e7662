"""A provider's stream as bytes: read by a thread of its own, so that our deadlines hold whatever a library does."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, NoReturn, Protocol

from openedx_ai_extensions.exceptions import StreamInterrupted
from openedx_ai_extensions.processors.llm.errors import DeadlineExceeded
from openedx_ai_extensions.processors.llm.exchange import ToolCall
from openedx_ai_extensions.waits import long_wait

logger = logging.getLogger(__name__)

HEARTBEAT = 15.0  # seconds of silence after which the consumer hears that the source is alive

# Seconds that the reader of a stream has the interpreter to itself when the first text has come: a quick provider would
# keep it from sending that text on.
HEAD_START = 0.002


class OnEnd(Protocol):
    def __call__(self, *, is_whole: bool) -> None: ...


class Pump:
    """Runs a source in a daemon thread and hands over its texts.

    Args:
        source: called in the thread with this pump; yields texts, an empty one when the model is at work without
            any, and may set ``usage``, ``model_used``, ``tool_calls`` and ``response_id`` on the pump, ``on_close``, to
            wake it when nobody listens any more, and ``on_end``, to clean up: called in the thread, and told whether
            the source came to its end, when the consumer knows that already.
    """

    def __init__(self, source: Callable[[Pump], Iterator[str]]) -> None:
        self.usage: Mapping[str, int] = {}
        self.model_used = ""
        self.tool_calls: Sequence[ToolCall] = ()
        self.response_id = ""
        self.on_close: Callable[[], None] | None = None
        self.on_end: OnEnd | None = None
        self.closed = False
        # Who comes first: whoever goes away, or the end, after which the connection may be another stream's.
        self._end = threading.Lock()
        self._ended = False
        self._items: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, args=(source,), name="llm-stream", daemon=True).start()

    def _run(self, source: Callable[[Pump], Iterator[str]]) -> None:
        texts = source(self)
        started = is_whole = False
        try:
            for text in texts:
                if self.closed:
                    break
                self._items.put(text)
                if not started:
                    started = True
                    time.sleep(HEAD_START)
        except BaseException as error:  # noqa: BLE001  # not hidden: raised in the thread that waits
            self._items.put(error)
        else:
            with self._end:
                is_whole = self._ended = not self.closed
            self._items.put(None)
        finally:
            texts.close()  # type: ignore[attr-defined]  # sources are generators
            if self.on_end is not None:
                self.on_end(is_whole=is_whole)

    def get(self, timeout: float) -> str | None:
        """The texts that have arrived, joined; None at the end.

        Raises:
            queue.Empty: nothing arrived in ``timeout`` seconds.
            BaseException: what the source raised.
        """
        item: str | BaseException | None
        try:
            item = self._items.get_nowait()
        except queue.Empty:
            with long_wait():
                item = self._items.get(timeout=max(timeout, 0.001))
        texts = []
        while isinstance(item, str):
            texts.append(item)
            try:
                item = self._items.get_nowait()
            except queue.Empty:
                return "".join(texts)
        if texts:
            self._items.put(item)  # nothing follows an end or a fault, so it is still the last
            return "".join(texts)
        if item is not None:
            raise item
        return None

    def close(self) -> None:
        """Stop the source now, even in the middle of a read."""
        with self._end:
            self.closed = True
            if self.on_close is not None and not self._ended:
                self.on_close()


class Chunks(Generator[bytes, None, None]):
    """What a generator of bytes is besides ``__next__`` and ``close``, which a subclass writes."""

    def send(self, value: None, /) -> bytes:
        return next(self)

    def throw(self, typ: Any, val: Any = None, tb: Any = None, /) -> bytes:
        self.close()
        return super().throw(typ, val, tb)


class TextStream(Chunks):
    """The model's answer as it arrives: UTF-8 bytes, whole characters only.

    An empty chunk says that the provider is alive but silent. The attributes (see ``exchange.Answer``) are complete
    after the end.

    Args:
        pump: where the texts come from.
        first: the texts that have already arrived.
        idle: seconds of silence that end the stream.
        deadline: ``time.monotonic()`` at which the stream ends in any case.
        on_fault: told of what broke the stream, to log it.

    Raises (while iterating):
        StreamInterrupted: the provider broke off, or ran out of time.
    """

    def __init__(
        self,
        pump: Pump,
        *,
        first: str | None,
        idle: float,
        deadline: float,
        on_fault: Callable[[BaseException], Any],
    ) -> None:
        self._pump = pump
        self._first = first
        self._idle = idle
        self._deadline = deadline
        self._on_fault = on_fault
        self._heard = time.monotonic()
        self._over = first is None

    @property
    def usage(self) -> Mapping[str, int]:
        return self._pump.usage

    @property
    def model_used(self) -> str:
        return self._pump.model_used

    @property
    def tool_calls(self) -> Sequence[ToolCall]:
        return self._pump.tool_calls

    @property
    def response_id(self) -> str:
        return self._pump.response_id

    def __next__(self) -> bytes:
        if self._over:
            raise StopIteration
        if self._first is not None:
            text, self._first = self._first, None
            return text.encode()
        now = time.monotonic()
        limit = min(self._heard + self._idle, self._deadline)
        try:
            text_or_end = self._pump.get(min(HEARTBEAT, limit - now))
        except queue.Empty:
            if time.monotonic() < limit:
                return b""
            self._break(DeadlineExceeded())
        except BaseException as error:  # noqa: BLE001  # not hidden: logged, and raised as ours
            self._break(error)
        if text_or_end is None:
            self._over = True
            raise StopIteration
        self._heard = time.monotonic()
        return text_or_end.encode()

    def _break(self, error: BaseException) -> NoReturn:
        self.close()
        self._on_fault(error)
        raise StreamInterrupted from None

    def close(self) -> None:
        """Stop: the provider's connection is closed."""
        self._over = True
        self._pump.close()

    def __del__(self) -> None:
        self._pump.close()
