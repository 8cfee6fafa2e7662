"""HTTP connections to providers: not limited in number, and reusable as soon as an answer is complete.

LiteLLM's own clients are limited to 100 connections; further calls would wait. Also, a stream that is abandoned, or
whose last bytes LiteLLM does not read, would keep its connection until garbage collection.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from functools import lru_cache, wraps
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.http_responses import ACCEPTED_ENCODING, BadResponse, Decoder, Unpacking

MAX_IDLE_CONNECTIONS = 100  # kept open after a burst
# Upper bounds for escapes and reasoning, and in streams for an event per few characters.
BYTES_PER_CHARACTER = 16
BYTES_PER_CHARACTER_STREAMED = 256
OVERHEAD_BYTES = 1024 * 1024  # bytes, for everything except the text
_IGNORED = (httpx.HTTPError, httpx.StreamError, OSError)  # while a connection is given up
DRAIN_SECONDS = 0.5  # to read the bytes after an answer; after that the connection is closed instead of reused


class ResponseBody(httpx.SyncByteStream):
    """The body of a response; read once, by one thread, and closed once, by any thread.

    httpx can iterate over a body after its connection has been reused for another call, and would then read that call's
    bytes. This class prevents it.

    Args:
        body: httpx's body.
        decoder: decompresses it.
        connection: its connection, from the extensions of httpx's response; None if unknown.
    """

    def __init__(self, body: Any, decoder: Decoder, connection: Any) -> None:
        self._body = body
        self._chunks: Iterator[bytes] = iter(body)
        self._decoder = decoder
        self._connection = connection
        # Closing releases the connection to other calls, so it must not be shut down afterwards.
        self._lock = threading.Lock()
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._received():
            for piece in self._decoder.unpacked(chunk):
                if self._is_closed:
                    return
                yield piece

    def _received(self) -> Iterator[bytes]:
        while not self._is_closed:
            try:
                chunk = next(self._chunks)
            except StopIteration:
                return
            yield chunk

    def close(self) -> None:
        """Release the connection; it is reused if the body was read completely."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._body.close()

    def shut_down(self) -> None:
        """Shut the connection down, which wakes a thread that is blocked in a read."""
        with self._lock:
            if not self._is_closed and self._connection is not None:
                shut_down(self._connection)

    def finish(self) -> None:
        """Read the rest of the body for a moment, so that the connection can be reused; then close it."""
        timer = threading.Timer(DRAIN_SECONDS, self.shut_down)
        timer.daemon = True
        timer.start()
        try:
            with contextlib.suppress(*_IGNORED):
                for _rest in self._received():
                    pass
        finally:
            timer.cancel()
            with contextlib.suppress(*_IGNORED):
                self.close()


def shut_down(connection: Any) -> None:
    found: socket.socket | None = connection.get_extra_info("socket")
    if found is not None:
        with contextlib.suppress(OSError):  # already closed
            found.shutdown(socket.SHUT_RDWR)


class RedirectedElsewhere(BadResponse):
    """A provider redirects the request, including its contents, to another server."""

    reason = "redirected_elsewhere"


class Transmission:
    """The HTTP traffic of one attempt of a call.

    Attributes:
        is_sent: a request was passed to the network; later failures are those of the network or the provider.
        streams: a streamed answer was requested.
    """

    def __init__(self) -> None:
        self.is_sent = False
        self.streams = False
        self._body: ResponseBody | None = None
        self._response: httpx.Response | None = None
        self._connection: Any = None  # while waiting for the response
        self._is_shut_down = False
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Track the requests of this thread inside the block."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @property
    def response_json(self) -> Any:
        """The JSON of the last response, if it was read completely; otherwise None."""
        if self._response is None or not self._response.is_closed:
            return None
        try:
            return self._response.json()
        except (httpx.ResponseNotRead, ValueError, RecursionError):
            return None

    def sending_over(self, connection: Any) -> None:
        """A request, or a part of one, is about to be sent over this connection."""
        with self._lock:
            self._connection = connection
            if self._is_shut_down:
                shut_down(connection)

    def received(self, response: httpx.Response, body: ResponseBody) -> None:
        with self._lock:
            self._response = response
            self._body = body
            self._connection = None
            if self._is_shut_down:
                body.shut_down()

    def shut_down(self) -> None:
        """Abort the call: wakes the thread that waits for the response. Thread-safe."""
        with self._lock:
            self._is_shut_down = True
            if self._connection is not None:
                shut_down(self._connection)
            if self._body is not None:
                self._body.shut_down()

    def finish(self, *, is_whole: bool) -> None:
        """Release the connection: for reuse if the answer is complete, otherwise close it."""
        if self._body is None:
            return
        if is_whole:
            self._body.finish()
        else:
            with contextlib.suppress(*_IGNORED):
                self._body.close()


_current: ContextVar[Transmission | None] = ContextVar("ai_llm_transmission", default=None)


def is_calling() -> bool:
    """Is this thread inside a call of the plugin to a provider?"""
    return _current.get() is not None


def _on_request(request: httpx.Request) -> None:
    url = request.url
    origin = (url.scheme, url.host, url.port)
    if request.extensions.setdefault("origin", origin) != origin:  # inherited from the redirected request
        raise RedirectedElsewhere
    request.headers["Accept-Encoding"] = ACCEPTED_ENCODING
    watching = _current.get()
    if watching is not None:
        watching.is_sent = True


def _on_response(response: httpx.Response) -> None:
    watching = _current.get()
    streams = watching is not None and watching.streams and response.is_success
    characters = conf.get("AI_EXTENSIONS_MAX_ANSWER_CHARS")
    longest = OVERHEAD_BYTES + BYTES_PER_CHARACTER * characters
    # A stream may be longer as a whole, but not a line in it.
    longest_stream = OVERHEAD_BYTES + BYTES_PER_CHARACTER_STREAMED * characters
    unpacking = Unpacking(longest_stream if streams else longest, longest)
    decoder = unpacking.decoder(response.headers.pop("Content-Encoding", ""))
    body = ResponseBody(response.stream, decoder, response.extensions.get("network_stream"))
    response.stream = body
    if watching is not None:
        watching.received(response, body)


class _WatchedStream:
    """A connection that reports requests to the current ``Transmission``; httpx exposes it only with the response."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        watching = _current.get()
        if watching is not None:
            watching.sending_over(self._stream)
        self._stream.write(buffer, timeout)

    def start_tls(self, *args: Any, **kwargs: Any) -> _WatchedStream:
        return _WatchedStream(self._stream.start_tls(*args, **kwargs))


class _WatchedNetwork(httpcore.SyncBackend):
    """A network backend that creates watched connections."""

    def connect_tcp(self, *args: Any, **kwargs: Any) -> Any:
        return _WatchedStream(super().connect_tcp(*args, **kwargs))


class SharedClient(httpx.Client):
    """A client that cannot be closed.

    LiteLLM and OpenAI's SDK close the clients of discarded handlers, which would abort all other calls.
    """

    def close(self) -> None:
        """Does nothing: idle connections expire by themselves."""


def http_client(**options: Any) -> httpx.Client:
    """A client for all calls: unlimited connections, and no cookies, because calls with different keys share it.

    Args:
        options: further arguments of ``httpx.Client``.
    """
    client = SharedClient(
        follow_redirects=True,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=MAX_IDLE_CONNECTIONS),
        event_hooks={"request": [_on_request], "response": [_on_response]},
        **options,
    )
    for transport in (client._transport, *client._mounts.values()):  # including those for proxies from the environment
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = _WatchedNetwork()
    return client


def install(litellm: Any) -> None:
    """Make LiteLLM use our clients: one for each way of verifying certificates, shared by all providers.

    A site that has set LiteLLM's session, or requires IPv4, keeps LiteLLM's clients; their traffic is not tracked.
    """
    handlers = litellm.llms.custom_httpx.http_handler

    @lru_cache(maxsize=20)
    def client(ssl_verify: bool | str | None) -> httpx.Client:
        return http_client(
            verify=handlers.get_ssl_configuration(ssl_verify),
            cert=os.getenv("SSL_CERTIFICATE", litellm.ssl_certificate),
            timeout=litellm.request_timeout,
        )

    if litellm.client_session is None:
        litellm.client_session = client(None)  # for all providers that use the SDK of OpenAI
    make = handlers.HTTPHandler.__init__

    @wraps(make)
    def make_with_ours(self: Any, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(("timeout", "concurrent_limit", "client", "ssl_verify"), args, strict=False)) | kwargs
        is_ours = given.get("client") is None and not (litellm.force_ipv4 or getattr(litellm, "sync_transport", None))
        make(self, **given | ({"client": client(given.get("ssl_verify"))} if is_ours else {}))

    handlers.HTTPHandler.__init__ = make_with_ours
