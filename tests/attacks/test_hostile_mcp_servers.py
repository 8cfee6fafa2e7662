"""A server of tools that means harm: what it says fills no memory, and is not paid for with every request."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from openedx_ai_extensions.console.health import report
from openedx_ai_extensions.tools import Toolbox, mcp_client
from tests.tools.conftest import configure, context_for, servers

__all__ = ["configure", "context_for", "servers"]

MEMORY = 80_000_000  # bytes, for all that an exchange takes
PIECE = b"x" * 1_000_000
PIECES = 200
TALK = [{"name": "talk", "inputSchema": {"type": "object"}}]
UNAVAILABLE = "The tool is not available now."


def of_call(request_id: Any, kind: str) -> Iterator[bytes]:
    """The result of a call, in pieces."""
    start = b'{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"'
    end = b'"}]}}'
    if kind == "text/event-stream":
        start, end = b"event: message\ndata: " + start, end + b"\n\n"
    yield start % json.dumps(request_id).encode()
    yield from [PIECE] * PIECES
    yield end


@contextmanager
def hostile_server(kind: str, encoding: str = "", tools: Any = TALK) -> Iterator[str]:
    """The address of a server that offers these tools, which say far too much."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            method = asked.get("method")
            if method == "tools/call":
                self.send_pieces(of_call(asked["id"], kind), kind)
            elif "id" not in asked:
                self.send_pieces([], "application/json", status=202)
            else:
                results = {
                    "initialize": {
                        "protocolVersion": "2025-06-18",
                        "capabilities": {"tools": {}},
                        "serverInfo": {"name": "far", "version": "1"},
                    },
                    "tools/list": {"tools": tools},
                }
                answer: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
                if method in results:
                    answer["result"] = results[method]
                else:
                    answer["error"] = {"code": -32601, "message": "Method not found"}
                self.send_pieces([json.dumps(answer).encode()], "application/json")

        def do_GET(self) -> None:
            self.send_pieces([], "application/json", status=405)

        do_DELETE = do_GET  # noqa: N815  # http.server's own name

        def send_pieces(self, pieces: Any, content_type: str, *, status: int = 200) -> None:
            is_packed = bool(encoding) and status == 200
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Transfer-Encoding", "chunked")
            if is_packed:
                self.send_header("Content-Encoding", encoding)
                whole = b"".join(pieces)
                for _layer in encoding.split(","):
                    whole = gzip.compress(whole)
                pieces = [whole]
            self.end_headers()
            try:
                for piece in pieces:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's own name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/mcp"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_an_answer_without_an_end_is_not_kept(configure, context_for, caplog, kind):
    with hostile_server(kind) as url:
        server = configure(url, timeout=60)
        toolbox = Toolbox(server.tools(), context_for(None))
        tracemalloc.start()
        try:
            result = toolbox.call("far__talk", "{}")
            assert tracemalloc.get_traced_memory()[1] < MEMORY
        finally:
            tracemalloc.stop()
    assert (result.ok, result.text) == (False, UNAVAILABLE)
    assert "mcp.failed server=far error=" in caplog.text


def test_nor_is_one_that_is_compressed(configure, context_for):
    with hostile_server("application/json", "gzip") as url:
        result = Toolbox(configure(url, timeout=60).tools(), context_for(None)).call("far__talk", "{}")
    assert (result.ok, result.text) == (False, UNAVAILABLE)


def test_nor_one_that_is_compressed_twice(configure):
    with hostile_server("application/json", "gzip, gzip") as url:
        assert configure(url, timeout=60).tools() == []


def test_nor_many_pages(servers, configure, monkeypatch):
    monkeypatch.setattr(mcp_client, "MAX_BYTES", 4_000)
    assert configure(servers.many_url).tools() == []


def long_tool(name: str, length: int) -> dict[str, Any]:
    """A tool with that many characters of schema."""
    return {"name": name, "inputSchema": {"type": "object", "description": "x" * length}}


@pytest.mark.parametrize(
    ("tools", "offered"),
    [
        pytest.param([long_tool("long", 100_000), *TALK], ["far__talk"], id="one that is long"),
        pytest.param([long_tool("long", 7_000), *TALK], ["far__long", "far__talk"], id="one that is rather long"),
        pytest.param(
            [{"name": "long", "description": "x" * 100_000, "inputSchema": {"type": "object"}}, *TALK],
            ["far__long", "far__talk"],
            id="a long description is cut",
        ),
        pytest.param(
            [*(long_tool(f"t{number}", 7_000) for number in range(128)), *TALK],
            ["far__t0", "far__t1", "far__t2", "far__t3"],
            id="many",
        ),
    ],
)
@pytest.mark.django_db
def test_definitions_of_tools_are_bounded(configure, context_for, caplog, tools, offered):
    with hostile_server("application/json", tools=tools) as url:
        definitions = Toolbox(configure(url).tools(), context_for(None)).definitions
    assert [definition["name"] for definition in definitions] == offered
    assert len(json.dumps(definitions)) < 33_000
    skipped = [line for line in caplog.messages if line.startswith("mcp.tool.skipped server=far")]
    assert len(skipped) == min(len(tools), 128) - len(offered)
    told = " ".join(finding.text for section in report() if section.name == "tools" for finding in section.findings)
    assert ("far__t4" in told) == ("far__t4" in caplog.text)
    assert ("skipped: " in told) == bool(skipped)
