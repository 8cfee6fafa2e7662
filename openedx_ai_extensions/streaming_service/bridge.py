"""Answers one request: the site's WSGI application runs in a thread, the event loop reads and writes the socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from openedx_ai_extensions.core.long_waits import Cancellation, cancellable, held, long_wait
from openedx_ai_extensions.streaming_service.connection_pool import ConnectionPool
from openedx_ai_extensions.streaming_service.request import Message, Receive, Send

logger = logging.getLogger(__name__)

MAX_PENDING_BYTES = 65_536  # that may wait for a client who reads slowly; also the size of one message to the server
SEND_SECONDS = 30.0  # for a client to read as much

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WsgiBridge:
    """Answers one request.

    The request keeps its thread from beginning to end, as under a WSGI server. So what a platform keeps for each
    thread or in context variables, its connections included, works as there.

    Args:
        application: the site's.
        environ: the request.
        pool: lends connections to the thread while it works.
        on_large: called in the thread each time that more than ``MAX_PENDING_BYTES`` wait for the client.
        on_end: called once, when both the thread and the sending have ended.
    """

    def __init__(
        self,
        application: WsgiApplication,
        environ: dict[str, Any],
        pool: ConnectionPool,
        on_large: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self._application = application
        self._environ = environ
        self._pool = pool
        self._on_large = on_large
        self._on_end = on_end
        self._active_sides = 2  # the thread, and the sending
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._is_notified = False  # the loop will look at the state
        self._lock = threading.Lock()
        self._has_room = threading.Event()
        self._head: tuple[int, Sequence[tuple[str, str]]] | None = None
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._is_over = False
        self._error: BaseException | None = None
        self._cancellation = Cancellation()  # when the client is gone

    @property
    def is_gone(self) -> bool:
        return self._cancellation.is_cancelled

    async def serve(self, receive: Receive, send: Send) -> None:
        """Send what the thread writes, until it ends; then raise the thread's error, if there was one."""
        try:
            threading.Thread(target=self._run, name="ai-stream", daemon=True).start()
        except RuntimeError:  # no more threads
            self._on_end()
            raise
        watch = asyncio.ensure_future(self._watch(receive))
        try:
            await self._send_all(send)
        finally:
            watch.cancel()
            self.cancel()
            self._end_side()

    def _end_side(self) -> None:
        with self._lock:
            self._active_sides -= 1
            is_last = not self._active_sides
        if is_last:
            self._on_end()

    async def _send_all(self, send: Send) -> None:
        _limit_buffers(_transport(send))
        has_begun = is_over = False
        while not is_over:
            await self._changed.wait()
            self._changed.clear()
            with self._lock:
                chunks, self._pending, self._pending_bytes, self._is_notified = self._pending, [], 0, False
                is_over = self._is_over
            self._has_room.set()
            if self.is_gone:
                continue
            for message in self._messages(b"".join(chunks), has_begun=has_begun):
                has_begun = True
                if not await self._is_sent(send, message):
                    return
        if self._error is not None:
            raise self._error  # without an end, so that the client notices
        if has_begun and not self.is_gone:
            await self._is_sent(send, {"type": "http.response.body", "body": b""})

    def _messages(self, body: bytes, *, has_begun: bool) -> Iterator[Message]:
        if self._head is not None and not has_begun:
            status, headers = self._head
            raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            yield {"type": "http.response.start", "status": status, "headers": raw}
        for start in range(0, len(body), MAX_PENDING_BYTES):
            yield {"type": "http.response.body", "body": body[start : start + MAX_PENDING_BYTES], "more_body": True}

    async def _is_sent(self, send: Send, message: Message) -> bool:
        """Send a message once the previous one is on its way; drops a client who does not read in time."""
        try:
            await asyncio.wait_for(send(message), SEND_SECONDS)
        except TimeoutError:
            logger.warning("streaming.stalled seconds=%s", SEND_SECONDS)
            # A server that only closes would wait for the client to read the rest; ASGI has no message for an abort.
            transport = _transport(send)
            if transport is not None:
                transport.abort()
                await asyncio.sleep(0)  # for the server to notice
            return False
        return True

    async def _watch(self, receive: Receive) -> None:
        """Cancel as soon as the client disconnects."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.cancel()

    def cancel(self) -> None:
        """The client is gone: let the thread end, even while it waits for a model."""
        self._cancellation.cancel()
        self._has_room.set()

    def _run(self) -> None:
        try:
            with self._pool.loan() as loan, held(loan), cancellable(self._cancellation):
                self._answer()
        except BaseException as error:  # noqa: BLE001  # not hidden: raised in the event loop
            self._error = error
        finally:
            self._is_over = True
            self._notify()
            self._end_side()

    def _answer(self) -> None:
        body = self._application(self._environ, self._start_response)
        try:
            self._notify()
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
            self._pending_bytes += len(chunk)
            is_full = self._pending_bytes > MAX_PENDING_BYTES
            if is_full:
                self._has_room.clear()
        self._notify()
        if is_full and not self.is_gone:
            self._on_large()
            with long_wait():
                self._has_room.wait()

    def _notify(self) -> None:
        """Wake the event loop, unless it is about to look anyway."""
        with self._lock:
            if self._is_notified and not self._is_over:
                return
            self._is_notified = True
        with contextlib.suppress(RuntimeError):  # the loop has stopped, and the client is gone
            self._loop.call_soon_threadsafe(self._changed.set)


def _transport(send: Send) -> Any:
    """The connection itself, if the server is uvicorn; else None."""
    return getattr(getattr(send, "__self__", None), "transport", None)


def _limit_buffers(transport: Any) -> None:
    """Without this, the server and the operating system would buffer whole answers that the client does not read."""
    if transport is None:
        return
    transport.set_write_buffer_limits(high=0)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # it was closed already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_PENDING_BYTES)
