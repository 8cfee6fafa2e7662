"""Who gets in: the one endpoint, for those who may, as many as there is room for."""

from __future__ import annotations

import json

import pytest

from tests.streaming_service.conftest import Service
from tests.waiting import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


@pytest.mark.parametrize(
    "path", ["/", "/admin/", "/openedx-ai-extensions/v1/profile/", "/openedx-ai-extensions/v1/workflows/../profile/"]
)
def test_other_paths_are_not_served(service: Service, admin_user, path):
    status, _headers, body = service.ask(admin_user, path=path).to_the_end()
    assert (status, json.loads(body)["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("has_login", "refusal"),
    [
        pytest.param(False, (401, "not_authenticated"), id="no login"),
        pytest.param(True, (403, "permission_denied"), id="not in the course"),
    ],
)
def test_rights_are_those_of_the_site(service: Service, make_scope, provider, stranger, has_login, refusal):
    make_scope()
    status, _headers, body = service.ask(stranger if has_login else None).to_the_end()
    assert (status, json.loads(body)["error"]["code"]) == refusal
    assert provider.requests == []


def test_a_request_from_elsewhere_is_refused(service: Service, learner, make_scope, provider):
    """Cross-site request forgery: a session without its token."""
    make_scope()
    status, _headers, _body = service.ask(learner, headers={"X-CSRFToken": "x" * 32}).to_the_end()
    assert status == 403
    assert provider.requests == []


def test_a_header_that_only_looks_like_another_is_dropped(service: Service, learner, make_scope, provider):
    make_scope()
    status, _headers, _body = service.ask(learner, headers={"X-CSRFToken": "", "X_CSRFToken": "c" * 32}).to_the_end()
    assert status == 403


def test_web_sockets_are_refused(service: Service, learner, caplog):
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    assert service.ask(learner, method="GET", body=b"", headers=headers).to_the_end()[0] == 403
    assert "Exception" not in caplog.text


def test_other_methods(service: Service, learner):
    assert service.ask(learner, method="GET").to_the_end()[0] == 405


@pytest.mark.parametrize("framing", ["Content-Length", "Transfer-Encoding"])
def test_a_body_that_is_too_long_is_refused(service: Service, learner, make_scope, settings, framing):
    settings.AI_EXTENSIONS_MAX_INPUT_CHARS = settings.AI_EXTENSIONS_MAX_SAVE_CHARS = 10
    make_scope()
    body = b"x" * 70_000
    headers = {}
    if framing == "Transfer-Encoding":
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        headers = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    status, _headers, answered = service.ask(learner, body=body, headers=headers).to_the_end()
    assert (status, json.loads(answered)["error"]["code"]) == (413, "payload_too_large")


def test_one_more_than_there_is_room_for_is_asked_to_come_back(
    service: Service, learner, make_scope, provider, settings
):
    settings.AI_EXTENSIONS_MAX_STREAMS = 1
    make_scope()
    provider.reply(["one ", "two ", "three"], delay=60)
    first = service.ask(learner)
    first.until(b"one")
    status, headers, body = service.ask(learner).to_the_end()
    assert (status, json.loads(body)["error"]["code"], headers["retry-after"]) == (503, "service_unavailable", "10")
    # Looking how far a run is asks no model, and is never turned away.
    assert service.ask(learner, action="get_run_status").to_the_end()[0] != 503
    provider.go_on()
    assert first.to_the_end()[2] == b"one two three"
    eventually(lambda: len(provider.requests) == 1)
    provider.reply("four")
    # Whoever has the end of an answer may ask before its thread is through.
    eventually(lambda: service.ask(learner).to_the_end()[0] == 200)
