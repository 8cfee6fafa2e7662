"""Tools of real MCP servers."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time

import pytest

from openedx_ai_extensions.tools import Toolbox, mcp_client
from openedx_ai_extensions.tools.mcp import FRESH_SECONDS, MAX_TOOLS, RETRY_SECONDS
from tests.tools.servers import nonsense_server, silent_server
from tests.waiting import PATIENCE

SECRET = "hush-hush"


@pytest.fixture
def call(context_for):
    def make(server, name, **arguments):
        return Toolbox(server.tools(), context_for(None)).call(name, json.dumps(arguments))

    return make


def names(server):
    return [tool.name for tool in server.tools()]


@pytest.mark.parametrize("transport", ["streamable_http", "sse"])
def test_its_tools_look_like_ours(servers, configure, call, context_for, transport):
    url = servers.url if transport == "streamable_http" else servers.sse_url
    server = configure(url, name=f"far-{transport}", transport=transport)
    name = f"far-{transport}__echo"
    definition = next(d for d in Toolbox(server.tools(), context_for(None)).definitions if d["name"] == name)
    assert definition["description"] == "Say it again."
    assert definition["parameters"]["required"] == ["text"]
    assert call(server, name, text="ab", times=2) == (result := call(server, name, text="ab", times=2))
    assert (result.ok, result.text) == (True, "abab")


def test_arguments_are_checked_before_it_is_called(servers, configure, call):
    server = configure(servers.url)
    before = len(servers.calls)
    result = call(server, "far__echo", text=5)
    assert not result.ok
    assert "$.text" in result.text
    assert len(servers.calls) == before


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param({}, ["far__echo", "far__slow", "far__failing", "far__picture"], id="all when it does not say"),
        pytest.param({"ALLOWED_TOOLS": ["echo", "other"]}, ["far__echo"], id="those it names"),
        pytest.param({"allowed_tools": []}, [], id="none when it names none"),
    ],
)
def test_allowed_tools(servers, configure, config, expected):
    assert names(configure(servers.url, **config)) == expected


def test_what_it_does_not_allow_can_not_be_called(servers, configure, call):
    before = len(servers.calls)
    assert not call(configure(servers.url, allowed_tools=["failing"]), "far__echo", text="a").ok
    assert len(servers.calls) == before


def test_headers_go_with_every_request(servers, configure, call):
    servers.headers.clear()
    assert call(configure(servers.url, HEADERS={"Authorization": f"Bearer {SECRET}"}), "far__echo", text="a").ok
    assert {headers.get("authorization") for headers in servers.headers} == {f"Bearer {SECRET}"}


def test_content_that_is_no_text_is_named(servers, configure, call):
    result = call(configure(servers.url), "far__picture")
    assert result.text == "Here:\n[image: image/png]\n[resource: file:///notes.txt]"


def test_a_failing_tool_says_why_in_short(servers, configure, call):
    result = call(configure(servers.url), "far__failing")
    assert not result.ok
    assert "the well is dry" in result.text
    assert len(result.text) <= 1_000


def test_a_slow_tool_is_given_up(servers, configure, call):
    server = configure(servers.url)
    server.tools()  # what it offers must be known before its time runs out
    object.__setattr__(server, "timeout", 0.5)
    result = call(server, "far__slow", seconds=600)
    assert (result.ok, result.text) == (False, "The tool took too long and was stopped.")


def test_a_request_that_takes_too_long_is_given_up_like_the_whole_exchange():
    async def exchange():
        raise ExceptionGroup("of a task group", [mcp_client.httpx.ReadTimeout("")])

    with pytest.raises(TimeoutError):
        mcp_client.run(exchange, timeout=60)


def test_pages_are_followed_up_to_a_limit(servers, configure):
    found = names(configure(servers.many_url))
    assert found == [f"far__tool_{n}" for n in range(MAX_TOOLS)]


def test_odd_tools(servers, configure, call, caplog):
    server = configure(servers.odd_url)
    tools = server.tools()
    assert [tool.remote_name for tool in tools] == ["good", "names/ü", "names ü", "x" * 80, "x" * 79]
    assert len({tool.name for tool in tools}) == len(tools)
    assert all(len(tool.name) <= 64 and tool.name.isascii() for tool in tools)
    assert caplog.text.count("mcp.tool.skipped server=far") == 4
    called = [json.loads(call(server, tool.name).text)["called"] for tool in tools]
    assert called == [tool.remote_name for tool in tools]


def test_a_hostile_pattern_stalls_nobody(servers, configure, call):
    started = time.monotonic()
    assert not call(configure(servers.odd_url), "far__good", word="a" * 40 + "!").ok
    assert time.monotonic() - started < PATIENCE


def test_names_of_two_servers_never_collide(servers, configure):
    found = [
        name
        for server in ("a", "a_", "a__x", "ä", "ö", "a" * 70, "a" * 71)
        for name in names(configure(servers.url, name=server))
    ]
    assert len(found) == len(set(found)) == 28


def test_what_it_offers_is_kept_for_a_while(servers, configure, monkeypatch):
    server = configure(servers.many_url, name="kept")
    before = servers.listings
    threads = [threading.Thread(target=server.tools) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pages = servers.listings - before
    assert pages == 4
    later = time.monotonic() + FRESH_SECONDS + 1
    monkeypatch.setattr("openedx_ai_extensions.tools.mcp.time.monotonic", lambda: later)
    server.tools()
    assert servers.listings - before == 2 * pages


def test_while_one_thread_lists_the_tools_again_the_others_use_those_of_before(servers, configure, monkeypatch):
    server = configure(servers.many_url, name="slow")
    before = names(server)
    later = time.monotonic() + FRESH_SECONDS + 1
    monkeypatch.setattr("openedx_ai_extensions.tools.mcp.time.monotonic", lambda: later)
    is_asked, may_answer = threading.Event(), threading.Event()

    def hang(_exchange, _timeout):
        is_asked.set()
        may_answer.wait(PATIENCE)
        raise TimeoutError

    monkeypatch.setattr(mcp_client, "run", hang)
    listing = threading.Thread(target=server.tools)
    listing.start()
    assert is_asked.wait(PATIENCE)
    assert names(server) == before
    may_answer.set()
    listing.join()
    assert names(server) == []


def test_it_works_under_a_running_loop(servers, configure, call):
    async def ask():
        return call(configure(servers.url), "far__echo", text="a")

    assert asyncio.run(ask()).text == "a"


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("http://127.0.0.1:1/mcp", id="nobody there"),
        pytest.param(f"http://user:{SECRET}@127.0.0.1:1/{SECRET}?key={SECRET}", id="nobody there, with secrets"),
        pytest.param("http://no-such-host.invalid/mcp", id="no such host"),
        pytest.param("http://[broken/mcp", id="no address at all"),
        pytest.param("missing", id="not found"),
    ],
)
@pytest.mark.parametrize("transport", ["streamable_http", "sse"])
def test_an_unreachable_server_offers_nothing(servers, configure, caplog, where, transport):
    caplog.set_level(logging.INFO)
    url = f"{servers.url}/{SECRET}/nowhere?key={SECRET}" if where == "missing" else where
    server = configure(url, name="gone", TIMEOUT=3, TRANSPORT=transport, HEADERS={"Authorization": SECRET})
    started = time.monotonic()
    assert server.tools() == []
    assert time.monotonic() - started < PATIENCE
    assert "mcp.failed server=gone error=" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in repr(server)


@pytest.mark.parametrize("transport", ["streamable_http", "sse"])
def test_a_silent_server_holds_nobody_up(configure, transport):
    with silent_server() as url:
        server = configure(url, TIMEOUT=0.5, transport=transport)
        started = time.monotonic()
        assert server.tools() == []
        assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        pytest.param(500, "text/plain", b"oops", id="an error"),
        pytest.param(401, "application/json", b"{}", id="no entry"),
        pytest.param(302, "text/html", b"", id="a way to somewhere else"),
        pytest.param(200, "text/html", b"<html>", id="a web page"),
        pytest.param(200, "application/json", b"{", id="half of a JSON text"),
        pytest.param(
            200, "application/json", b'{"jsonrpc": "2.0", "id": 1, "result": {"tools": 5}}', id="an answer to another"
        ),
        pytest.param(200, "text/event-stream", b"data: nonsense\n\n", id="events of nothing"),
    ],
)
def test_a_server_that_talks_nonsense_offers_nothing(configure, status, kind, body):
    with nonsense_server(status, kind, body) as url:
        started = time.monotonic()
        assert configure(url, TIMEOUT=1).tools() == []
        assert time.monotonic() - started < PATIENCE


def test_an_unreachable_server_is_tried_again(configure, caplog, monkeypatch):
    server = configure("http://127.0.0.1:1/again")
    assert (server.tools(), server.tools()) == ([], [])
    assert caplog.text.count("mcp.failed") == 1
    later = time.monotonic() + RETRY_SECONDS + 1
    monkeypatch.setattr("openedx_ai_extensions.tools.mcp.time.monotonic", lambda: later)
    assert server.tools() == []
    assert caplog.text.count("mcp.failed") == 2


def test_a_server_that_goes_away_fails_the_call(servers, configure, context_for, monkeypatch):
    tools = configure(servers.url, name="leaving").tools()
    object.__setattr__(tools[0].server, "url", "http://127.0.0.1:1/mcp")
    result = Toolbox(tools, context_for(None)).call("leaving__echo", '{"text": "a"}')
    assert (result.ok, result.text) == (False, "The tool is not available now.")
