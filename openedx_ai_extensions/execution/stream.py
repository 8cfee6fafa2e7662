"""The answer of an action: a ``Result`` or a ``Stream``. Failures are exceptions."""

from __future__ import annotations

import enum
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openedx_ai_extensions.exceptions import RunCancelled
from openedx_ai_extensions.execution.finish_reason import notice, with_notice


@dataclass(frozen=True, slots=True)
class Result:
    """A complete answer.

    Attributes:
        response: any JSON-serialisable value.
        status: the status in the REST contract.
        extra: further fields of the answer.
        finish_reason: how the model's text ended, see ``processors.llm.FinishReason``; empty for other answers. A
            truncated text gets a notice appended.
    """

    response: Any
    status: str = "completed"
    extra: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        if not notice(self.finish_reason):
            return {"response": self.response, "status": self.status, **self.extra}
        text = with_notice(str(self.response), self.finish_reason)
        return {"response": text, "status": self.status, "finish_reason": self.finish_reason, **self.extra}


@dataclass(frozen=True, slots=True)
class StatusResult(Result):
    """An answer that has a status and fields, but no response."""

    response: Any = None

    def as_dict(self) -> dict[str, Any]:
        return {"status": self.status, **self.extra}


class Ending(enum.StrEnum):
    """How a stream ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


Finish = Callable[[Ending, str], None]


class Stream:
    """An answer that is still arriving, and that runs its own cleanup.

    Iterating yields UTF-8 bytes that never split a character; an empty chunk is a heartbeat. ``finish`` runs exactly
    once when the stream ends (source exhausted, source failed or consumer gone), with the ending and the text that was
    delivered.

    Args:
        source: yields the chunks; its ``close()``, if it has one, is called at the end. Its attributes ``usage`` and
            ``finish_reason`` are read after the end.
        finish: runs once, in the thread that consumes the stream.
        run_id: identifies this run to the client.

    Raises (while iterating):
        AIExtensionsError: the source failed; the chunks before that were delivered.
    """

    def __init__(self, source: Iterable[bytes], *, finish: Finish, run_id: str = "") -> None:
        self.source = source
        self.run_id = run_id
        self._chunks: Iterator[bytes] = iter(source)
        self._finish = finish
        self._delivered: list[bytes] = []
        self.error: BaseException | None = None  # the exception that ended the stream
        self._check: Callable[[], None] | None = None
        self._ended = False
        self._lock = threading.Lock()

    @property
    def usage(self) -> Mapping[str, int]:
        """Token counts, once the source has reported them."""
        return getattr(self.source, "usage", None) or {}

    @property
    def finish_reason(self) -> str:
        """How the model's answer ended, see ``processors.llm.FinishReason``; ``stop`` if the source reports none."""
        return str(getattr(self.source, "finish_reason", None) or "stop")

    def on_finish(self, finish: Finish) -> None:
        """Run ``finish`` at the end, after the functions added before it, even if one of those fails."""
        first = self._finish

        def both(ending: Ending, text: str) -> None:
            try:
                first(ending, text)
            finally:
                finish(ending, text)

        self._finish = both

    def before_each_chunk(self, check: Callable[[], None]) -> None:
        """Run ``check`` before each chunk is returned. An exception that it raises ends the stream."""
        self._check = check

    def then(self, finish: Finish) -> None:
        """Deprecated name of ``on_finish``."""
        warnings.warn("Stream.then is called Stream.on_finish now.", DeprecationWarning, stacklevel=2)
        self.on_finish(finish)

    def watch(self, check: Callable[[], None]) -> None:
        """Deprecated name of ``before_each_chunk``."""
        warnings.warn("Stream.watch is called Stream.before_each_chunk now.", DeprecationWarning, stacklevel=2)
        self.before_each_chunk(check)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        try:
            chunk = next(self._chunks)
            if self._check is not None:
                self._check()
        except StopIteration:
            self._end(Ending.COMPLETED)
            raise
        except (GeneratorExit, RunCancelled):
            self._end(Ending.CANCELLED)
            raise
        except BaseException as error:
            # The ending must run for every exception; the renderer handles the exception itself.
            self.error = error
            self._end(Ending.FAILED)
            raise
        if chunk:
            self._delivered.append(chunk)
        return chunk

    def close(self) -> None:
        """Stop the source and end the stream as cancelled. Does nothing after the end."""
        self._end(Ending.CANCELLED)

    def _end(self, ending: Ending) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
        try:
            close = getattr(self.source, "close", None)
            if close is not None:
                close()
        finally:
            self._finish(ending, b"".join(self._delivered).decode("utf-8", "replace"))
