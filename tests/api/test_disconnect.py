"""A client that goes away in the middle of a stream, over a real socket."""

import json
import socket
import threading
from urllib.parse import urlsplit

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from openedx_ai_extensions.demo.server import HOST
from tests.api.conftest import Api
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.django_db(transaction=True)
CSRF_TOKEN = "c" * 32


@pytest.fixture
def port():
    with ThreadedWSGIServer((HOST, 0), WSGIRequestHandler) as server:
        server.set_app(get_wsgi_application())
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server.server_port
        server.shutdown()


def send(port, api, accept, text=None):
    """Send the request of a logged-in browser and hand back the open connection."""
    session = api.client.cookies["sessionid"].value
    body = json.dumps({"action": "run", "user_input": text}).encode()
    target = urlsplit(Api.url("aiext_workflows"))
    head = [
        f"POST {target.path}?{target.query} HTTP/1.1",
        f"Host: {HOST}:{port}",
        f"Cookie: sessionid={session}; csrftoken={CSRF_TOKEN}",
        f"X-CSRFToken: {CSRF_TOKEN}",
        f"Accept: {accept}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    connection = socket.create_connection((HOST, port), timeout=PATIENCE)
    connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    return connection


def read_until(connection, mark):
    received = b""
    while mark not in received:
        piece = connection.recv(4096)
        assert piece, received.decode()
        received += piece
    return received


def working_threads():
    """Those that serve a request, here or in a fake provider."""
    return {thread for thread in threading.enumerate() if "process_request_thread" in thread.name}


@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream"])
def test_going_away_closes_the_provider_s_stream(port, learner, make_scope, provider, tracked, accept):
    make_scope()
    provider.reply([f"word{number} " for number in range(1000)], delay=0.2)
    others = working_threads()
    with send(port, Api(learner), accept) as connection:
        received = read_until(connection, b"word1")
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert f"Content-Type: {accept}".encode() in received
    assert b"word999" not in received

    eventually(lambda: provider.disconnects == 1)
    eventually(lambda: working_threads() <= others)
    assert not [event for event in tracked if "completed" in event["name"]]


@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream"])
def test_staying_to_the_end(port, learner, make_scope, provider, tracked, accept):
    make_scope()
    provider.reply(["word0 ", "word1 ", "the end"])
    with send(port, Api(learner), accept) as connection:
        received = read_until(connection, b"the end")
        while piece := connection.recv(4096):
            received += piece
    assert b"error" not in received
    eventually(lambda: [event for event in tracked if "completed" in event["name"]])
    assert provider.disconnects == 0
