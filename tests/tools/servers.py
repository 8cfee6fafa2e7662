"""Real MCP servers on loopback: the official server code of version 1 or 2, served by uvicorn in a thread."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvicorn
from mcp import types
from starlette.applications import Starlette
from starlette.routing import Mount

from openedx_ai_extensions.tools.mcp_client import IS_MCP_1

if IS_MCP_1:
    from mcp.server.fastmcp import FastMCP as MCPServer
    from mcp.server.fastmcp.exceptions import ToolError
else:
    from mcp.server.lowlevel import Server
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError

PAGE = 40
MANY = 170
ODD_TOOLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("good", {"type": "object", "properties": {"word": {"type": "string", "pattern": "^(a+)+$"}}}),
    ("names/ü", {"type": "object"}),
    ("names ü", {"type": "object"}),
    ("x" * 80, {"type": "object"}),
    ("x" * 79, {"type": "object"}),
    ("good", {"type": "object"}),
    ("bad_rule", {"type": "object", "required": "a"}),
    ("bad_schema", {"type": "object", "properties": {"a": {"type": "wrong"}}}),
    ("far_away", {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:1/schema.json"}}}),
)


@dataclass
class RunningServers:
    """Addresses, and what has been asked of the servers.

    Attributes:
        url: of the server with a tool for each behaviour.
        many_url: of a server with many tools on several pages.
        odd_url: of a server with odd names and broken schemas.
        headers: of every request.
        calls: the tools called.
        listings: how many pages were listed.
    """

    port: int
    headers: list[dict[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    listings: int = 0

    def __post_init__(self) -> None:
        base = f"http://127.0.0.1:{self.port}"
        self.url, self.sse_url = f"{base}/plain/mcp", f"{base}/events/sse"
        self.many_url, self.odd_url = f"{base}/many/mcp", f"{base}/odd/mcp"


@contextmanager
def running_servers() -> Iterator[RunningServers]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        running = RunningServers(listener.getsockname()[1])
        server = uvicorn.Server(uvicorn.Config(_site(running), log_level="critical", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield running
        server.should_exit = True
        thread.join(10)


@contextmanager
def silent_server() -> Iterator[str]:
    """The address of a server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"


@contextmanager
def nonsense_server(status: int, kind: str, body: bytes) -> Iterator[str]:
    """The address of a server that gives everybody the same answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_DELETE = do_POST  # noqa: N815  # http.server's own names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's own name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/mcp"
    server.shutdown()
    server.server_close()


def _site(running: RunningServers) -> Any:
    apps = {"plain": _plain(running).streamable_http_app(), "many": _many(running), "odd": _odd()}

    async def lifespans(scope: Any, receive: Any, send: Any) -> None:
        # A mounted app's own lifespan is not run.
        async with contexts["plain"], contexts["many"], contexts["odd"]:
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    contexts = {name: app.router.lifespan_context(app) for name, app in apps.items()}
    routes = [Mount(f"/{name}", app) for name, app in apps.items()]
    site = Starlette(routes=[*routes, Mount("/events", _plain(running).sse_app())])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await lifespans(scope, receive, send)
            return
        running.headers.append({key.decode(): value.decode() for key, value in scope["headers"]})
        await site(scope, receive, send)

    return app


def _plain(running: RunningServers) -> MCPServer:
    server = MCPServer("plain")

    @server.tool()
    def echo(text: str, times: int = 1) -> str:
        """Say it again."""
        running.calls.append("echo")
        return text * times

    @server.tool()
    async def slow(seconds: float) -> str:
        running.calls.append("slow")
        await asyncio.sleep(seconds)
        return "at last"

    @server.tool()
    def failing() -> str:
        raise ToolError("the well is dry " + "x" * 5_000)

    @server.tool(structured_output=False)
    def picture() -> list[types.ContentBlock]:
        return [
            types.TextContent(type="text", text="Here:"),
            types.ImageContent(type="image", data="aGk=", mimeType="image/png"),
            types.EmbeddedResource(
                type="resource",
                resource=types.TextResourceContents(uri="file:///notes.txt", text="notes", mimeType="text/plain"),
            ),
        ]

    return server


def _many(running: RunningServers) -> Starlette:
    tools = [types.Tool(name=f"tool_{n}", inputSchema={"type": "object"}) for n in range(MANY)]

    async def list_tools(_context: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        running.listings += 1
        start = int((params.cursor if params else None) or 0)
        following = str(start + PAGE) if start + PAGE < len(tools) else None
        return types.ListToolsResult(tools=tools[start : start + PAGE], nextCursor=following)

    return _app("many", list_tools)


def _odd() -> Starlette:
    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        # What they give breaks their own rule, and would take years to be held against it.
        output = {"type": "object", "properties": {"called": {"pattern": "^(a+)+$"}, "more": {"pattern": "^(a+)+$"}}}
        return types.ListToolsResult(
            tools=[types.Tool(name=name, inputSchema=schema, outputSchema=output) for name, schema in ODD_TOOLS]
        )

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        return types.CallToolResult(content=[], structuredContent={"called": params.name, "more": "a" * 40 + "!"})

    return _app("odd", list_tools, call_tool)


Handler = Callable[[Any, Any], Awaitable[Any]]


def _app(name: str, list_tools: Handler, call_tool: Handler | None = None) -> Starlette:
    """A server that answers what it is told to, right or wrong."""
    if not IS_MCP_1:
        return Server(name, on_list_tools=list_tools, on_call_tool=call_tool).streamable_http_app()

    def handler(answer: Handler) -> Callable[[Any], Awaitable[types.ServerResult]]:
        async def handle(request: Any) -> types.ServerResult:
            return types.ServerResult(await answer(None, request.params))

        return handle

    server = MCPServer(name)
    server._mcp_server.request_handlers[types.ListToolsRequest] = handler(list_tools)
    if call_tool:
        server._mcp_server.request_handlers[types.CallToolRequest] = handler(call_tool)
    return server.streamable_http_app()
