"""Exchanges with MCP servers through the official client, which comes with this module: it takes half a second."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Tool

from openedx_ai_extensions.waits import long_wait

if TYPE_CHECKING:
    from openedx_ai_extensions.tools.mcp import McpServer

# Their records hold addresses with keys, and what is sent.
for _name in ("mcp.client", "mcp.shared"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)

MAX_PAGES = 50
# For an exchange to end by itself once its time is up, before it is left behind.
GRACE_SECONDS = 2.0

Answer = TypeVar("Answer")


def run(exchange: Callable[[], Coroutine[Any, Any, Answer]], timeout: float) -> Answer:
    """What an exchange gives, from a thread of its own: the caller's may have a running event loop.

    Raises:
        TimeoutError: time is up.
        Exception: whatever else ended it.
    """
    answers: queue.SimpleQueue[tuple[Answer | None, BaseException | None]] = queue.SimpleQueue()

    async def within_time() -> Answer:
        async with asyncio.timeout(timeout):
            return await exchange()

    def work() -> None:
        try:
            answers.put((asyncio.run(within_time()), None))
        except BaseException as error:  # noqa: BLE001  # not hidden: raised in the thread that waits
            answers.put((None, _cause(error)))

    threading.Thread(target=work, name="mcp-exchange", daemon=True).start()
    try:
        with long_wait():
            answer, error = answers.get(timeout=timeout + GRACE_SECONDS)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]  # there is one where there is no error


async def list_tools(server: McpServer, limit: int) -> list[Tool]:
    """The first tools that a server lists, over as many pages as that takes."""
    tools: list[Tool] = []
    async with _connected(server) as client:
        cursor = None
        for _page in range(MAX_PAGES):
            listed = await client.list_tools(cursor=cursor)
            tools += listed.tools
            cursor = listed.next_cursor
            if not cursor or len(tools) >= limit:
                break
    return tools[:limit]


async def call_tool(server: McpServer, name: str, arguments: dict[str, Any]) -> CallToolResult:
    """What a tool gives, which may be that it failed."""
    async with _connected(server) as client:
        # Holding a server's answer against the server's own schema costs another listing, and runs its patterns.
        client.session.validate_tool_result = _any_result  # type: ignore[method-assign]
        return await client.call_tool(name, arguments)


async def _any_result(name: str, result: CallToolResult) -> None:
    return None


@asynccontextmanager
async def _connected(server: McpServer) -> AsyncIterator[Client]:
    headers = dict(server.headers)
    if server.transport == "sse":
        transport = sse_client(server.url, headers, timeout=server.timeout, sse_read_timeout=server.timeout)
        async with Client(transport, mode="legacy", cache=None) as client:
            yield client
        return
    async with (
        httpx2.AsyncClient(headers=headers, timeout=server.timeout) as http,
        Client(streamable_http_client(server.url, http_client=http), cache=None) as client,
    ):
        yield client


def _cause(error: BaseException) -> BaseException:
    """The error inside of the groups that task groups make."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
