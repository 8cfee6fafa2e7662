"""One request: the site's own WSGI application in a thread, the sockets in the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from openedx_ai_extensions.core.connection_release import Cancellation, cancellable, held, long_wait
from openedx_ai_extensions.streaming_service.environ import Message, Receive, Send
from openedx_ai_extensions.streaming_service.seats import Seats

logger = logging.getLogger(__name__)

FULL = 65_536  # bytes that may wait for a client who reads slowly
SEND_SECONDS = 30.0  # that a client may take to read as much; also what is handed to the server at once

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Head = tuple[int, Sequence[tuple[str, str]]]


class Exchange:
    """Answers one request. The thread is the request's own, from its beginning to its end, as under a WSGI server:
    what a platform keeps for each thread or in context variables, its connections included, is as it is there.

    Args:
        application: the site's.
        environ: the request, for it.
        seats: the thread has one while it is at work.
        on_large: called in the thread, each time that more than ``FULL`` bytes wait for the client.
        on_end: called by the last to end: the thread, or the sending of what it said.
    """

    def __init__(
        self,
        application: WsgiApplication,
        environ: dict[str, Any],
        seats: Seats,
        on_large: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self._application = application
        self._environ = environ
        self._seats = seats
        self._on_large = on_large
        self._on_end = on_end
        self._halves = 2  # that are not over: the thread, and the sending
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._is_told = False  # the loop is about to look
        self._lock = threading.Lock()
        self._room = threading.Event()
        self._head: Head | None = None
        self._pending: list[bytes] = []
        self._size = 0
        self._is_over = False
        self._fault: BaseException | None = None
        self._cancellation = Cancellation()  # nobody reads any more

    @property
    def is_gone(self) -> bool:
        return self._cancellation.is_cancelled

    async def serve(self, receive: Receive, send: Send) -> None:
        """Pass on what the thread says, until it ends; then raise what it failed of, if it did."""
        try:
            threading.Thread(target=self._run, name="ai-stream", daemon=True).start()
        except RuntimeError:  # no more threads
            self._on_end()
            raise
        watch = asyncio.ensure_future(self._watch(receive))
        try:
            await self._pass_on(send)
        finally:
            watch.cancel()
            self.leave()
            self._end_half()

    def _end_half(self) -> None:
        with self._lock:
            self._halves -= 1
            is_last = not self._halves
        if is_last:
            self._on_end()

    async def _pass_on(self, send: Send) -> None:
        _keep_little(_transport(send))
        has_begun = is_over = False
        while not is_over:
            await self._news.wait()
            self._news.clear()
            with self._lock:
                chunks, self._pending, self._size, self._is_told = self._pending, [], 0, False
                is_over = self._is_over
            self._room.set()
            if self.is_gone:
                continue
            if self._head is not None and not has_begun:
                has_begun = True
                status, headers = self._head
                raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
                if not await self._is_sent(send, {"type": "http.response.start", "status": status, "headers": raw}):
                    return
            body = b"".join(chunks)
            for start in range(0, len(body), FULL):
                piece = {"type": "http.response.body", "body": body[start : start + FULL], "more_body": True}
                if not await self._is_sent(send, piece):
                    return
        if self._fault is not None:
            raise self._fault  # without an end, so that the client knows
        if has_begun and not self.is_gone:
            await self._is_sent(send, {"type": "http.response.body", "body": b""})

    async def _is_sent(self, send: Send, message: Message) -> bool:
        """Send some, when what was sent before is on its way; a client who does not read that in time is given up."""
        try:
            await asyncio.wait_for(send(message), SEND_SECONDS)
        except TimeoutError:
            logger.warning("streaming.stalled seconds=%s", SEND_SECONDS)
            # A server that only closes would wait for the client to read the rest. ASGI has no word for more.
            transport = _transport(send)
            if transport is not None:
                transport.abort()
                await asyncio.sleep(0)  # it notices
            return False
        return True

    async def _watch(self, receive: Receive) -> None:
        """Notice at once that the client has gone."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.leave()

    def leave(self) -> None:
        """Nobody reads any more: let the thread end, also one that waits for a model."""
        self._cancellation.cancel()
        self._room.set()

    def _run(self) -> None:
        try:
            with self._seats.taken() as sitting, held(sitting), cancellable(self._cancellation):
                self._answer()
        except BaseException as error:  # noqa: BLE001  # not hidden: raised in the event loop
            self._fault = error
        finally:
            self._is_over = True
            self._tell()
            self._end_half()

    def _answer(self) -> None:
        body = self._application(self._environ, self._start_response)
        try:
            self._tell()
            for chunk in body:
                if self.is_gone:
                    break
                if chunk:
                    self._write(chunk)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def _start_response(self, status: str, headers: Sequence[tuple[str, str]], _exc_info: Any = None) -> Any:
        self._head = (int(status.split(" ", 1)[0]), headers)
        return self._write

    def _write(self, chunk: bytes) -> None:
        with self._lock:
            self._pending.append(chunk)
            self._size += len(chunk)
            is_full = self._size > FULL
            if is_full:
                self._room.clear()
        self._tell()
        if is_full and not self.is_gone:
            self._on_large()
            with long_wait():
                self._room.wait()

    def _tell(self) -> None:
        """Have the loop look, once for all that it has not seen yet."""
        with self._lock:
            if self._is_told and not self._is_over:
                return
            self._is_told = True
        with contextlib.suppress(RuntimeError):  # the loop was stopped: nobody reads any more
            self._loop.call_soon_threadsafe(self._news.set)


def _transport(send: Send) -> Any:
    """The connection itself, where the server is uvicorn; None elsewhere."""
    return getattr(getattr(send, "__self__", None), "transport", None)


def _keep_little(transport: Any) -> None:
    """Else the server and the operating system take whole answers, and keep what the client does not read."""
    if transport is None:
        return
    transport.set_write_buffer_limits(high=0)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # it was closed already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FULL)
