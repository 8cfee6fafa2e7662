"""The ASGI application: which requests it takes, and what it does when the server starts and stops."""

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
from openedx_ai_extensions.streaming_service.bridge import WsgiApplication, WsgiBridge
from openedx_ai_extensions.streaming_service.connection_pool import ConnectionPool
from openedx_ai_extensions.streaming_service.request import (
    Bodies,
    ClientGone,
    Receive,
    Scope,
    Send,
    TooManyBodies,
    declared_length,
    environ_of,
)

logger = logging.getLogger(__name__)

URL_NAMES = ("openedx_ai_extensions:api:v1:aiext_workflows",)
STOP_SECONDS = 20.0  # to store the last answers: a silent stream notices a cancellation after at most 15 seconds
NOT_FOUND = (404, "not_found", "The streaming service does not serve this address.")
TOO_SLOW = (408, "request_timeout", "The request took too long to arrive.")
OVERLOADED = (503, "service_unavailable", "Too many requests at once. Please try again in a moment.")


class StreamingService:
    """Answers the endpoint that streams with the site's own WSGI application, each request in a thread of its own.

    Django is set up when the server starts, or with the first request.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bridges: set[WsgiBridge] = set()
        self._bodies = Bodies()
        self._stream_places = capacity.StreamPlaces()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # before it was accepted: the server answers 403
        else:
            raise ValueError(f"The streaming service does not support {scope['type']}.")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
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
        """Do what takes seconds before the first request arrives."""
        with self._lock:
            self.site  # noqa: B018  # sets Django up
        import_module("openedx_ai_extensions.processors.llm.provider.library").warm_up()
        logger.info("streaming.started streams=%s", conf.get("AI_EXTENSIONS_STREAMS.PER_PROCESS"))

    async def _stop(self) -> None:
        """Cancel active streams, and wait until they are stored as interrupted."""
        for bridge in list(self._bridges):
            bridge.cancel()
        deadline = time.monotonic() + STOP_SECONDS
        while self._bridges and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        if self._bridges:
            logger.warning("streaming.stopped unfinished=%s", len(self._bridges))
        self.site.pool.close()

    @cached_property
    def site(self) -> _Site:
        return _Site()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "site" not in vars(self):  # the server sent no startup event
            await asyncio.to_thread(self._start)
        if scope["path"] not in self.site.paths:
            await _refuse(send, *NOT_FOUND)
            return
        max_streams = conf.get("AI_EXTENSIONS_STREAMS.PER_PROCESS")
        key = object()
        length, max_bytes, body = declared_length(scope), self.site.max_body_bytes(), b""
        try:
            if len(self._bridges) >= 2 * max_streams:
                raise TooManyBodies
            # A body that is too long is not read: the application refuses it by its length.
            if length <= max_bytes:
                body = await self._bodies.read(key, receive, max_bytes, max_streams)
                length = len(body)
        except ClientGone:
            pass
        except TooManyBodies:
            logger.warning("streaming.overrun requests=%s", len(self._bridges))
            await _refuse(send, *OVERLOADED, headers={"Retry-After": str(capacity.RETRY_AFTER)})
        except TimeoutError:
            await _refuse(send, *TOO_SLOW)
        else:
            await self._serve(environ_of(scope, body, length), receive, send)
        finally:
            self._bodies.release(key)

    async def _serve(self, environ: dict[str, Any], receive: Receive, send: Send) -> None:
        place = environ[capacity.STREAM_PLACE] = capacity.StreamPlace(self._stream_places)

        def leave() -> None:
            place.release()
            self._bridges.discard(bridge)

        bridge = WsgiBridge(self.site.application, environ, self.site.pool, place.wait, leave)
        self._bridges.add(bridge)
        await bridge.serve(receive, send)


class _Site:
    """The site, once Django is set up."""

    def __init__(self) -> None:
        self.application = _application()
        self.paths = frozenset(reverse(name) for name in URL_NAMES)
        self.pool = ConnectionPool(conf.get("AI_EXTENSIONS_STREAMS.CONNECTIONS"))
        self.max_body_bytes: Callable[[], int] = import_module("openedx_ai_extensions.api.v1.requests").longest_body


def _application() -> WsgiApplication:
    """What a WSGI server would run: the application in the site's settings, the platform's, or Django's."""
    platform_module = f"{conf.service_variant()}.wsgi"
    if settings.WSGI_APPLICATION:
        return import_string(settings.WSGI_APPLICATION)
    if find_spec(platform_module.partition(".")[0]) and find_spec(platform_module):
        return import_module(platform_module).application
    return get_wsgi_application()


async def _refuse(
    send: Send, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
) -> None:
    """Answer without Django."""
    body = json.dumps({"error": {"code": code, "message": message}, "status": "error"}).encode()
    sent: dict[str, Any] = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",  # the rest of the request is not read
        **(headers or {}),
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
