"""The ASGI application: who gets in, and what happens when the server starts and stops."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import reverse
from django.utils.module_loading import import_string

from openedx_ai_extensions.api.v1 import capacity
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.streaming_service.environ import (
    ClientGone,
    Receive,
    Scope,
    Send,
    declared_length,
    environ_of,
)
from openedx_ai_extensions.streaming_service.exchange import Exchange, WsgiApplication
from openedx_ai_extensions.streaming_service.places import BodySlot, BodySlots, NoRoom
from openedx_ai_extensions.streaming_service.seats import Seats

logger = logging.getLogger(__name__)

PATHS = ("openedx_ai_extensions:api:v1:aiext_workflows",)
PATIENCE = 20.0  # seconds at the end for the last answers to be stored: a silent stream looks up every 15
NOT_FOUND = (404, "not_found", "The streaming service answers nothing here.")
TOO_SLOW = (408, "request_timeout", "The request took too long to arrive.")
OVERRUN = (503, "service_unavailable", "Too many requests at once. Please try again in a moment.")


class StreamingService:
    """Answers the endpoint that streams with the site's own WSGI application, each request in a thread of its own.

    Django is set up when the server starts, or with the first request.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exchanges: set[Exchange] = set()
        self._places = BodySlots()
        self._stream_places = capacity.StreamPlaces()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # before it was accepted: the server answers 403
        else:
            raise ValueError(f"There is nothing here for {scope['type']}.")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await asyncio.to_thread(self._start)
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _start(self) -> None:
        """What takes seconds, before anybody waits for it."""
        with self._lock:
            self.site  # noqa: B018  # made now
        import_module("openedx_ai_extensions.processors.llm.provider.gateway").warm_up()
        logger.info("streaming.started streams=%s", conf.get("AI_EXTENSIONS_STREAMS.PER_PROCESS"))

    async def _stop(self) -> None:
        """Let streams that are still under way be stored as interrupted."""
        for exchange in list(self._exchanges):
            exchange.leave()
        until = time.monotonic() + PATIENCE
        while self._exchanges and time.monotonic() < until:
            await asyncio.sleep(0.05)
        if self._exchanges:
            logger.warning("streaming.stopped unfinished=%s", len(self._exchanges))
        self.site.seats.close()

    @cached_property
    def site(self) -> _Site:
        return _Site()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "site" not in vars(self):  # a server without a beginning
            await asyncio.to_thread(self._start)
        if scope["path"] not in self.site.paths:
            await _refuse(send, *NOT_FOUND)
            return
        most = conf.get("AI_EXTENSIONS_STREAMS.PER_PROCESS")
        if len(self._exchanges) >= 2 * most:
            await self._overrun(send)
            return
        place = BodySlot(self._places)
        try:
            environ = await self._environ(scope, receive, send, place, most)
            if environ is not None:
                await self._serve(environ, receive, send)
        finally:
            place.leave()

    async def _environ(
        self, scope: Scope, receive: Receive, send: Send, place: BodySlot, most: int
    ) -> dict[str, Any] | None:
        """The request, read; None when it was not, and has its answer."""
        length, longest, body = declared_length(scope), self.site.longest_body(), b""
        try:
            # What is too long is refused by its length, and so not read.
            if length <= longest:
                body = await self._places.body(place, receive, longest, most)
                length = len(body)
        except ClientGone:
            return None
        except NoRoom:
            await self._overrun(send)
            return None
        except TimeoutError:
            await _refuse(send, *TOO_SLOW)
            return None
        return environ_of(scope, body, length)

    async def _serve(self, environ: dict[str, Any], receive: Receive, send: Send) -> None:
        place = environ[capacity.STREAM_PLACE] = capacity.StreamPlace(self._stream_places)

        def leave() -> None:
            place.release()
            self._exchanges.discard(exchange)

        exchange = Exchange(self.site.application, environ, self.site.seats, place.wait, leave)
        self._exchanges.add(exchange)
        await exchange.serve(receive, send)

    async def _overrun(self, send: Send) -> None:
        logger.warning("streaming.overrun requests=%s", len(self._exchanges))
        await _refuse(send, *OVERRUN, headers={"Retry-After": str(capacity.RETRY_AFTER)})


class _Site:
    """The site that is served, set up."""

    def __init__(self) -> None:
        self.application = _application()
        self.paths = frozenset(reverse(name) for name in PATHS)
        self.seats = Seats(conf.get("AI_EXTENSIONS_STREAMS.CONNECTIONS"))
        self.longest_body: Callable[[], int] = import_module("openedx_ai_extensions.api.v1.requests").longest_body


def _application() -> WsgiApplication:
    """What a WSGI server would run: what the site names, the platform's own, or Django's."""
    own = f"{conf.service_variant()}.wsgi"
    if settings.WSGI_APPLICATION:
        return import_string(settings.WSGI_APPLICATION)
    if find_spec(own.partition(".")[0]) and find_spec(own):
        return import_module(own).application
    return get_wsgi_application()


async def _refuse(
    send: Send, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
) -> None:
    """Answer before Django is asked at all."""
    body = json.dumps({"error": {"code": code, "message": message}, "status": "error"}).encode()
    told: dict[str, Any] = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",  # what was sent with the request is not read
        **(headers or {}),
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
