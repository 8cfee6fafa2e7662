"""Clients who do not read, or do not finish what they send, hold nothing for long and keep nobody out."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from openedx_ai_extensions.api.v1 import workflows
from openedx_ai_extensions.models import AIWorkflowRun
from openedx_ai_extensions.streaming_service import bridge, request
from tests.api.conftest import Api
from tests.fakes.provider import Say
from tests.streaming_service.conftest import HOST, Answer, Service, service, serving
from tests.waiting import eventually

__all__ = ["service"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

LARGE = 300_000  # bytes


def unfinished(service: Service, *, length: int, sent: int) -> Answer:
    """A request of somebody without a login, of whose body a part is sent, and then no more."""
    target = urlsplit(Api.url("aiext_workflows"))
    head = f"POST {target.path}?{target.query} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {length}\r\n\r\n"
    return Answer(service.port, head.encode() + b"x" * sent)


def status_of(answer: Answer) -> tuple[int, str]:
    status, _headers, body = answer.to_the_end()
    return status, json.loads(body)["error"]["code"]


def status_line(answer: Answer) -> int:
    """The status, without reading more."""
    return int(answer.connection.recv(12, socket.MSG_WAITALL).split()[1])


def is_open(answer: Answer) -> bool:
    """Is nothing said yet?"""
    answer.connection.setblocking(False)
    try:
        return not answer.connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    finally:
        answer.connection.setblocking(True)


def test_who_does_not_read_is_given_up(service, learner, make_scope, provider, settings, monkeypatch, caplog):
    monkeypatch.setattr(bridge, "SEND_SECONDS", 0.5)
    settings.AI_EXTENSIONS_MAX_STREAMS = 4
    settings.AI_EXTENSIONS_MAX_ANSWER_CHARS = 50_000_000
    make_scope()
    provider.always(Say(["x" * 500_000] * 80))  # more than any socket keeps
    asleep = [service.ask(learner) for _number in range(4)]
    eventually(lambda: AIWorkflowRun.objects.filter(outcome="cancelled").count() == 4)
    assert caplog.text.count("streaming.stalled") == 4
    provider.always(Say("Green."))
    eventually(lambda: service.ask(learner).to_the_end()[0] == 200)
    for answer in asleep:  # their connections are closed as well, with no more than was on its way
        assert sum(map(len, iter(answer.piece, b""))) < 40_000_000


def test_few_answers_are_kept_for_who_does_not_read(learner, author, make_scope, provider, settings, monkeypatch):
    """Also ordinary ones, whose threads have ended, count until they are read or given up."""
    monkeypatch.setattr(bridge, "SEND_SECONDS", 5)
    most, seats = 2, 3
    settings.AI_EXTENSIONS_STREAMS_PER_PERSON = most
    settings.AI_EXTENSIONS_STREAM_CONNECTIONS = seats
    make_scope(base_filepath="base/chat.json5")
    # Less than the operating system would keep for one connection.
    provider.reply(["x" * 100_000] * 15)
    settings.AI_EXTENSIONS_MAX_ANSWER_CHARS = 50_000_000
    assert Api(learner).run("Why?").getvalue()
    provider.reply("Green.")
    with serving() as port:
        service = Service(port)
        asleep = [service.ask(learner, action="get_current_session_response", keeps=4096) for _number in range(20)]
        statuses = [status_line(answer) for answer in asleep]
        assert set(statuses) == {200, 429}
        assert statuses.count(200) < 2 * most + seats
        assert service.ask(learner).to_the_end()[0] == 429
        assert service.ask(author).to_the_end()[0] == 200
        eventually(lambda: service.ask(learner).to_the_end()[0] == 200)
        assert service.ask(learner, action="get_current_session_response").to_the_end()[0] == 200
        for answer in asleep:
            answer.connection.close()


def test_who_does_not_read_from_a_worker_of_the_lms(learner, make_scope, provider, monkeypatch, caplog):
    """There only the server can break off; what it has been kept for too long ends as soon as it goes on."""
    monkeypatch.setattr(workflows, "SEND_SECONDS", -1)
    make_scope()
    provider.reply(["one ", "two ", "three"], delay=0.2)
    response = Api(learner).run("Why?")
    assert b"".join(response.streaming_content) == b"one "
    assert "stream.stalled" in caplog.text
    assert AIWorkflowRun.objects.get().outcome == "cancelled"


def test_who_does_not_finish_sending_gives_way(service, learner, make_scope, provider, settings):
    settings.AI_EXTENSIONS_MAX_STREAMS = 3
    make_scope()
    half = [unfinished(service, length=1000, sent=10) for _number in range(10)]
    assert service.ask(learner).to_the_end()[0] == 200
    assert [status_of(answer) for answer in half[:7]] == [(503, "service_unavailable")] * 7


def test_who_does_not_finish_sending_has_so_much_time(service, monkeypatch):
    monkeypatch.setattr(request, "RECEIVE_SECONDS", 0.5)
    assert status_of(unfinished(service, length=1000, sent=10)) == (408, "request_timeout")


def test_few_large_bodies_are_kept(service, learner, make_scope, provider, monkeypatch):
    monkeypatch.setattr(request, "MAX_LARGE_BODIES", 3)
    make_scope()
    half = [unfinished(service, length=LARGE + 1000, sent=LARGE) for _number in range(10)]
    gone = eventually(lambda: [answer for answer in half if not is_open(answer)][6:])
    assert len(gone) == 1
    body = json.dumps({"action": "run", "user_input": "Why?"}).encode()
    assert service.ask(learner, body=body + b" " * LARGE).to_the_end()[0] == 200
    assert sum(map(is_open, half)) == 2
    assert service.ask(learner).to_the_end()[0] == 200  # and small ones are not kept out
