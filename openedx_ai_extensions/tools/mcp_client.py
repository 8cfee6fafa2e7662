"""Exchanges with MCP servers through the official client, version 1 or 2.

Importing this module imports the client, which takes half a second. Results leave this module in the protocol's own
form, because the classes of the client have different names in each version.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any, Protocol, TypeVar

import mcp
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from openedx_ai_extensions.core.http_responses import ACCEPTED_ENCODING, BodyTooLong, Decoder, Unpacking
from openedx_ai_extensions.core.long_waits import TookTooLong, cancellable, in_thread

IS_MCP_1 = not hasattr(mcp, "Client")
# The HTTP library that the client uses. The other one may be installed as well.
httpx: Any = import_module("httpx" if IS_MCP_1 else "httpx2")

# Their log records contain addresses with keys, and the payload.
for _name in ("mcp.client", "mcp.shared"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
for _name in ("httpx", "httpcore", "httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Server(Protocol):
    """The properties of a server that the client needs, see ``mcp.McpServer``."""

    url: str
    headers: tuple[tuple[str, str], ...]
    timeout: float
    transport: str


MAX_PAGES = 50
MAX_BYTES = 4 * 1024 * 1024  # received from a server in one exchange
# For a timed-out exchange to end by itself, before it is abandoned.
GRACE_SECONDS = 2.0

Answer = TypeVar("Answer")


def run(exchange: Callable[[], Coroutine[Any, Any, Answer]], timeout: float) -> Answer:
    """Run an exchange in a separate thread, because the caller's thread may have a running event loop.

    Raises:
        TimeoutError: the time is up.
        BodyTooLong: the server sent too much.
        Exception: any other error of the exchange.
    """

    async def within_time() -> Answer:
        try:
            async with asyncio.timeout(timeout):
                return await exchange()
        except asyncio.CancelledError:  # cancelled by its own HTTP client, see below
            raise BodyTooLong from None

    try:
        # Waited for in any case: so the slots of a tool bound how many exchanges there are.
        with cancellable(None):
            return in_thread(lambda: asyncio.run(within_time()), timeout + GRACE_SECONDS, "mcp-exchange")
    # A pending request may time out at the same moment, or while the exchange is being ended.
    except (TookTooLong, httpx.TimeoutException):
        raise TimeoutError from None
    except BaseExceptionGroup as group:
        cause = _cause(group)
        raise (TimeoutError() if isinstance(cause, httpx.TimeoutException) else cause) from None


async def list_tools(server: Server, limit: int) -> list[dict[str, Any]]:
    """The first tools of a server, read from as many pages as necessary."""
    tools: list[dict[str, Any]] = []
    async with _connected(server) as client:
        cursor = None
        for _page in range(MAX_PAGES):
            listed = _as_sent(await client.list_tools(cursor=cursor))
            tools += listed["tools"]
            cursor = listed["nextCursor"]
            if not cursor or len(tools) >= limit:
                break
    return tools[:limit]


async def call_tool(server: Server, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The result of a tool call, including one that reports an error."""
    async with _connected(server) as client:
        # Validating the result with the server's schema would need another listing, and run untrusted patterns.
        if IS_MCP_1:
            client._validate_tool_result = _any_result  # version 1 has no public name for it
        else:
            client.session.validate_tool_result = _any_result
        return _as_sent(await client.call_tool(name, arguments))


async def _any_result(name: str, result: Any) -> None:
    return None


def _as_sent(result: Any) -> dict[str, Any]:
    """A result in the form of the protocol; missing values are None."""
    sent: dict[str, Any] = result.model_dump(mode="json", by_alias=True)
    return sent


class _BoundedBody(httpx.AsyncByteStream):
    """The decompressed body of a response, of limited size.

    Args:
        body: the library's body.
        decoder: decompresses it.
        give_up: called if it is too long.
    """

    def __init__(self, body: Any, decoder: Decoder, give_up: Callable[[], None]) -> None:
        self._body = body
        self._decoder = decoder
        self._give_up = give_up

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            try:
                for piece in self._decoder.unpacked(chunk):
                    yield piece
            except BodyTooLong:
                self._give_up()
                raise

    async def aclose(self) -> None:
        await self._body.aclose()


def _http_client(headers: Any = None, timeout: Any = None, auth: Any = None) -> Any:
    """A client for one exchange; it does not follow redirects."""
    unpacking = Unpacking(MAX_BYTES)
    exchange = asyncio.current_task()

    def give_up() -> None:
        # The MCP client would treat it as a broken connection, and retry.
        if exchange is not None:
            exchange.cancel()

    async def ask_unpacked(request: Any) -> None:
        request.headers["Accept-Encoding"] = ACCEPTED_ENCODING

    async def bound(response: Any) -> None:
        decoder = unpacking.decoder(response.headers.pop("Content-Encoding", ""))
        response.stream = _BoundedBody(response.stream, decoder, give_up)

    hooks = {"request": [ask_unpacked], "response": [bound]}
    return httpx.AsyncClient(headers=headers, timeout=timeout, auth=auth, event_hooks=hooks)


@asynccontextmanager
async def _connected(server: Server) -> AsyncIterator[Any]:
    """A ``mcp.Client``, or its equivalent in version 1."""
    headers = dict(server.headers)
    is_sse = server.transport == "sse"
    async with AsyncExitStack() as stack:
        transport: Any
        if is_sse:
            transport = sse_client(
                server.url,
                headers,
                timeout=server.timeout,
                sse_read_timeout=server.timeout,
                httpx_client_factory=_http_client,
            )
        else:
            http = await stack.enter_async_context(_http_client(headers=headers, timeout=server.timeout))
            transport = streamable_http_client(server.url, http_client=http)
        if IS_MCP_1:
            read, write, *_more = await stack.enter_async_context(transport)
            session = await stack.enter_async_context(mcp.ClientSession(read, write))
            await session.initialize()
            yield session
        else:
            yield await stack.enter_async_context(
                mcp.Client(transport, mode="legacy" if is_sse else "auto", cache=None)
            )


def _cause(error: BaseException) -> BaseException:
    """The first exception inside nested exception groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
