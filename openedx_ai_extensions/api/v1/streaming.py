"""A stream on the wire: as plain text, or as server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse

from openedx_ai_extensions.core import sse
from openedx_ai_extensions.core.error_reports import unexpected
from openedx_ai_extensions.exceptions import AIExtensionsError, StreamInterrupted
from openedx_ai_extensions.execution.answers import Ending, Stream
from openedx_ai_extensions.execution.execution import Execution
from openedx_ai_extensions.processors.llm import notice, with_notice
from openedx_ai_extensions.runtime.replay import Replay

logger = logging.getLogger(__name__)

SEND_SECONDS = 60.0  # that a server may take to pass a text on: the client reads too slowly, or not at all


def streaming_response(stream: Stream, *, events: bool, replay: Replay, execution: Execution) -> StreamingHttpResponse:
    """Answer with a stream.

    Args:
        stream: what to send.
        events: as server-sent events rather than plain text.
        replay: told of the whole text, or that there is none to keep.
        execution: what the stream answers.

    Raises:
        AIExtensionsError: it failed before anything was sent.
    """

    def keep(ending: Ending, text: str) -> None:
        if ending is Ending.COMPLETED and execution.did_something:
            replay.store(text.encode(), {"usage": dict(stream.usage), "finish_reason": stream.finish_reason})
        else:
            replay.release()

    stream.on_finish(keep)
    body = EventBody(stream) if events else TextBody(stream)
    body.start()
    return sse.streaming_response(body, sse.EVENT_STREAM if events else "text/plain; charset=utf-8")


class TextBody:
    """The text itself. Closing the body closes the stream, also when nobody ever read it."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._begun: list[bytes] = []

    def start(self) -> None:
        """Wait for the first text, so that an error before it can still be an ordinary answer."""
        for chunk in self.stream:
            if chunk:
                self._begun.append(chunk)
                return

    def __iter__(self) -> Iterator[bytes]:
        yield from self.opening()
        try:
            for chunk in chain(self._begun, self.stream):
                given = time.monotonic()
                yield self.render(chunk)
                if time.monotonic() - given > SEND_SECONDS:
                    logger.warning("stream.stalled run_id=%s", self.stream.run_id)
                    self.close()
                    return
        except AIExtensionsError as error:
            yield self.broken(error)
        except Exception as error:  # noqa: BLE001  # not hidden: logged with a reference, and the client is told
            yield self.broken(unexpected(error, "request.failed"))
        else:
            yield from self.closing()

    def opening(self) -> Iterator[bytes]:
        yield from ()

    def render(self, chunk: bytes) -> bytes:
        """What to send for a chunk; nothing for an empty one, which only says that the source is alive."""
        return chunk

    def broken(self, error: AIExtensionsError) -> bytes:
        """The marker that clients look for at the end of a broken text."""
        marker = {"error_in_stream": True, "code": StreamInterrupted.code, "message": str(error)}
        return f"||{json.dumps(marker, ensure_ascii=False)}||".encode()

    def closing(self) -> Iterator[bytes]:
        """What follows a text that ended: the notice that it was cut off."""
        if notice(self.stream.finish_reason):
            yield with_notice("", self.stream.finish_reason).encode()

    def close(self) -> None:
        self.stream.close()


class EventBody(TextBody):
    """Server-sent events: start, deltas, usage, and exactly one of done and error."""

    def start(self) -> None:
        """Nothing to wait for: these clients are told of the work that goes before the text."""

    def opening(self) -> Iterator[bytes]:
        yield sse.event("start", {"run_id": self.stream.run_id})

    def render(self, chunk: bytes) -> bytes:
        return sse.rendered(chunk)

    def broken(self, error: AIExtensionsError) -> bytes:
        return sse.event("error", {"code": error.code, "message": str(error)})

    def closing(self) -> Iterator[bytes]:
        if self.stream.usage:
            yield sse.event("usage", dict(self.stream.usage))
        reason = self.stream.finish_reason
        message = {"message": notice(reason)} if notice(reason) else {}
        yield sse.event("done", {"status": "completed", "finish_reason": reason, **message})


class StoredText:
    """A stored answer, as the source of a new stream."""

    def __init__(self, text: bytes, usage: dict[str, int], finish_reason: str) -> None:
        self.usage = usage
        self.finish_reason = finish_reason
        self._chunks = iter((text,))

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks


def stored_stream(text: bytes, about: dict[str, Any], run_id: str) -> Stream:
    """A stream that gives a stored answer again; nothing is recorded a second time."""
    return Stream(StoredText(text, **about), finish=lambda _ending, _text: None, run_id=run_id)
