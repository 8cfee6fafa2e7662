"""Threads that wait for a tool or its server hold no seat of the streaming service, and none is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.contrib.auth import get_user_model

from openedx_ai_extensions.models import AIWorkflowRun
from openedx_ai_extensions.tools import llm_tool, registry
from tests.fakes.provider import CallTools, Say, ToolCall
from tests.streaming_service.conftest import Service, serving
from tests.waiting import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

SEATS = 2
SOON = 30  # seconds: less than anything here waits for by itself
CALL = CallTools(ToolCall("far__talk"))


class McpStub:
    """An MCP server with one tool, whose answers can be held back.

    Attributes:
        lists, calls: how often its tools were asked for, and its tool was called.
        may_list, may_answer: set while it answers these.
    """

    def __init__(self) -> None:
        self.lists = self.calls = 0
        self.may_list, self.may_answer = threading.Event(), threading.Event()
        self.may_list.set()
        self.may_answer.set()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if "id" not in asked:
                    self._say(202, b"")
                    return
                result = stub.result(asked["method"])
                self._say(200, json.dumps({"jsonrpc": "2.0", "id": asked["id"], **result}).encode())

            def do_GET(self) -> None:
                self._say(405, b"")

            do_DELETE = do_GET  # noqa: N815  # http.server's own name

            def _say(self, status: int, body: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # its client has left
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's own name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/mcp"

    def result(self, method: str) -> dict:
        if method == "initialize":
            about = {"name": "far", "version": "1"}
            return {"result": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": about}}
        if method == "tools/list":
            self.lists += 1
            self.may_list.wait(60)
            return {"result": {"tools": [{"name": "talk", "inputSchema": {"type": "object"}}]}}
        if method == "tools/call":
            self.calls += 1
            self.may_answer.wait(60)
            return {"result": {"content": [{"type": "text", "text": "hi"}]}}
        return {"error": {"code": -32601, "message": "Method not found"}}

    def close(self) -> None:
        self.may_list.set()
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def far(settings) -> Iterator[McpStub]:
    stub = McpStub()
    settings.AI_EXTENSIONS_MCP_CONFIGS = {"far": {"URL": stub.url, "TIMEOUT": 60}}
    yield stub
    stub.close()


class Meeting:
    """As many threads at work at once as there are seats."""

    def __init__(self) -> None:
        self.is_on = False
        self.barrier = threading.Barrier(SEATS)

    def attend(self, _context: object) -> bool:
        if self.is_on:
            self.barrier.wait(SOON)
        return True


@pytest.fixture(autouse=True)
def meeting(monkeypatch) -> Meeting:
    meeting = Meeting()
    monkeypatch.setattr(registry, "_tools", dict(registry._tools))

    @llm_tool(permission=meeting.attend)
    def nothing() -> str:
        """Do nothing."""
        return ""

    return meeting


@pytest.fixture
def service(settings, make_scope) -> Iterator[Service]:
    settings.AI_EXTENSIONS_STREAMS_PER_PERSON = 100
    settings.AI_EXTENSIONS_STREAM_CONNECTIONS = SEATS
    names = [name for name in registry._tools if name in {"ponder", "nothing"}]
    llm = {"mcp_configs": ["far"], "enabled_tools": names}
    make_scope(base_filepath="base/chat.json5", patch={"processor_config": {"LLMProcessor": llm}})
    with serving() as port:
        yield Service(port)


def have_ended(outcome: str, count: int):
    return lambda: AIWorkflowRun.objects.filter(outcome=outcome).count() == count


def require_all_seats(service: Service, learner, provider, meeting: Meeting) -> None:
    meeting.is_on = True
    answers = [service.ask(learner) for _number in range(SEATS)]
    for answer in answers:
        answer.connection.settimeout(SOON)
    assert [answer.to_the_end()[0] for answer in answers] == [200] * SEATS
    assert not meeting.barrier.broken


@pytest.mark.parametrize("is_answered_first", [False, True], ids=["leaving", "the tool's end"])
def test_leaving_during_a_tool_loses_no_seat(far, service, learner, provider, meeting, is_answered_first):
    for number in range(SEATS + 1):
        far.may_answer.clear()
        provider.reply("")
        provider.then(CALL)
        answer = service.ask(learner)
        eventually(lambda number=number: far.calls == number + 1, SOON)
        if is_answered_first:
            provider.reply(["one ", "two"], delay=60)
            far.may_answer.set()
            answer.until(b"one")
        answer.connection.close()
        eventually(have_ended("cancelled", number + 1), SOON)
        far.may_answer.set()
    provider.reply("fine")
    provider.go_on()
    require_all_seats(service, learner, provider, meeting)


def test_twenty_departures_at_once(far, service, learner, provider, meeting):
    provider.always(CALL)
    far.may_answer.clear()
    answers = [service.ask(learner) for _number in range(20)]
    eventually(lambda: far.calls == 20, SOON)  # all of them wait: none holds a seat
    for answer in answers:
        answer.connection.close()
    eventually(have_ended("cancelled", 20), SOON)
    far.may_answer.set()
    provider.always(Say("fine"))
    require_all_seats(service, learner, provider, meeting)


def test_more_requests_than_seats_while_the_tools_are_listed(far, service, learner, provider):
    provider.reply("fine")
    far.may_list.clear()
    answers = [service.ask(learner) for _number in range(2 * SEATS + 1)]
    eventually(lambda: far.lists == 1, SOON)
    assert service.ask(learner, action="get_run_status").to_the_end()[0] != 503  # there is a seat
    far.may_list.set()
    for answer in answers:
        answer.connection.settimeout(SOON)
    assert [answer.to_the_end()[0] for answer in answers] == [200] * len(answers)
    assert [len(request["tools"]) for request in provider.requests] == [2] * len(answers)
    assert far.lists == 1


@pytest.fixture
def ponder(meeting) -> Iterator[threading.Event]:
    """A tool that ends, and reads the database, when this is set."""
    is_over = threading.Event()

    @llm_tool(timeout=60)
    def ponder() -> str:
        """Ponder."""
        is_over.wait(60)
        return str(get_user_model().objects.count())

    yield is_over
    is_over.set()


def test_waiting_for_a_tool_that_others_call_takes_no_seat(ponder, service, learner, provider, monkeypatch, meeting):
    monkeypatch.setattr(registry._tools["ponder"], "slots", threading.BoundedSemaphore(1))
    provider.always(CallTools(ToolCall("ponder")))
    answers = [service.ask(learner) for _number in range(2 * SEATS)]
    eventually(lambda: len(provider.requests) == len(answers), SOON)
    provider.always(Say("fine"))
    require_all_seats(service, learner, provider, meeting)
    meeting.is_on = False
    ponder.set()
    assert [answer.to_the_end()[0] for answer in answers] == [200] * len(answers)
