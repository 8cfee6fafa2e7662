"""Streams behind a real ASGI server: what arrives, when, and what becomes of it."""

from __future__ import annotations

import json
import threading

import pytest
from django.db import connection

from openedx_ai_extensions.models import AIWorkflowRun
from tests.streaming_service.conftest import Service, serving
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
once = pytest.mark.once
WORDS = ["one ", "two ", "three ", "four"]


def threads():
    return [thread for thread in threading.enumerate() if thread.name in {"ai-stream", "llm-stream"}]


def completed(tracked):
    return [event for event in tracked if event["name"].endswith("completed")]


@once
def test_a_stream_arrives_piece_by_piece(service, learner, make_scope, provider, tracked):
    make_scope()
    provider.reply(WORDS, delay=60)
    answer = service.ask(learner)
    assert b"two" not in answer.until(b"one")
    provider.go_on()
    status, headers, body = answer.to_the_end()
    assert (status, body.decode()) == (200, "one two three four")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")
    eventually(lambda: AIWorkflowRun.objects.get().outcome == "completed")
    assert len(completed(tracked)) == 1
    eventually(lambda: not threads())


@once
def test_server_sent_events(service, learner, make_scope, provider):
    make_scope()
    provider.reply(WORDS)
    status, headers, body = service.ask(learner, headers={"Accept": "text/event-stream"}).to_the_end()
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    events = [event.split("\ndata: ") for event in body.decode().strip().split("\n\n")]
    assert [events[0][0], events[-1][0]] == ["event: start", "event: done"]
    deltas = [json.loads(data)["text"] for name, data in events if name == "event: delta"]
    assert "".join(deltas) == "one two three four"


@once
def test_a_silent_model_leaves_a_comment(service, learner, make_scope, provider, monkeypatch):
    monkeypatch.setattr("openedx_ai_extensions.processors.llm.provider.stream.HEARTBEAT_SECONDS", 0.1)
    make_scope()
    provider.reply(WORDS, delay=60)
    answer = service.ask(learner, headers={"Accept": "text/event-stream"})
    answer.until(b": alive\n\n")
    provider.go_on()
    _status, _headers, body = answer.to_the_end()
    assert body.endswith(b'event: done\ndata: {"status": "completed", "finish_reason": "stop"}\n\n')


@once
def test_a_stream_that_breaks_says_so(service, learner, make_scope, provider):
    make_scope()
    provider.reply(WORDS)
    provider.cut_after(2)
    status, _headers, body = service.ask(learner).to_the_end()
    assert status == 200
    assert body.startswith(b'one two ||{"error_in_stream": true, "code": "streaming_failed"')
    eventually(lambda: AIWorkflowRun.objects.get().outcome == "failed")


@once
def test_an_error_before_the_first_byte_is_an_ordinary_answer(service, learner, make_scope, provider, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    make_scope()
    provider.fail(429, headers={"Retry-After": "7"})
    status, headers, body = service.ask(learner).to_the_end()
    assert (status, headers["retry-after"]) == (429, "7")
    assert json.loads(body)["error"]["code"] == "rate_limit_exceeded"


@once
@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream"])
def test_going_away_closes_the_providers_stream_and_keeps_what_was_seen(
    service, learner, make_scope, provider, tracked, accept
):
    scope = make_scope(base_filepath="base/chat.json5", slug="tutor")
    provider.reply([f"word{number} " for number in range(1000)], delay=0.2)
    answer = service.ask(learner, headers={"Accept": accept})
    answer.until(b"word1")
    answer.connection.close()
    eventually(lambda: provider.disconnects == 1)
    eventually(lambda: AIWorkflowRun.objects.get().outcome == "cancelled")
    eventually(lambda: not threads())
    assert not tracked
    opened = service.ask(learner, None).to_the_end()[2]
    messages = json.loads(json.loads(opened)["response"])["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert messages[1]["content"].startswith("word0 word1")
    assert scope.profile.slug == "tutor"


@once
def test_going_away_before_the_first_word(service, learner, make_scope, provider):
    make_scope()
    provider.reply(WORDS)
    provider.hang(60)
    answer = service.ask(learner)
    eventually(lambda: provider.requests)
    answer.connection.close()
    eventually(lambda: not threads(), 10)  # the model is still silent
    row = AIWorkflowRun.objects.get()
    assert (row.outcome, row.is_estimated, row.prompt_tokens > 0) == ("cancelled", True, True)


@once
def test_a_whole_answer_is_finished_for_who_asks_again(service, learner, make_scope, provider):
    make_scope()
    provider.reply(WORDS)
    provider.hang(60)
    body = json.dumps({"action": "run", "user_input": "Why?", "request_id": "1"}).encode()
    whole = {"Accept": "application/json"}
    answer = service.ask(learner, body=body, headers=whole)
    eventually(lambda: provider.requests)
    answer.connection.close()
    service.ask(learner, path="/").to_the_end()  # by now the service has seen that the first is gone
    provider.go_on()
    eventually(lambda: not threads())
    assert (
        json.loads(service.ask(learner, body=body, headers=whole).to_the_end()[2])["response"] == "one two three four"
    )
    assert len(provider.requests) == 1


def test_more_streams_than_connections(learner, make_scope, provider, settings):
    """Those that wait for the model hold none, so that all are under way at once."""
    settings.AI_EXTENSIONS_STREAM_CONNECTIONS = 3
    settings.AI_EXTENSIONS_STREAMS_PER_PERSON = 30
    make_scope()
    provider.reply(WORDS)
    provider.hang(60)
    with serving() as port:
        answers = [Service(port).ask(learner) for _number in range(30)]
        eventually(lambda: len(provider.requests) == 30)
        assert connections_of_others() <= 3
        provider.go_on()
        assert [answer.to_the_end()[2] for answer in answers] == [b"one two three four"] * 30
        eventually(lambda: AIWorkflowRun.objects.filter(outcome="completed").count() == 30)
        assert connections_of_others() <= 3
    assert connections_of_others() == 0


def connections_of_others():
    """To this database, where it counts them."""
    if connection.vendor != "mysql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) - 1 FROM information_schema.processlist WHERE db = DATABASE()")
        return cursor.fetchone()[0]


@once
def test_a_service_that_stops_stores_what_was_seen(learner, make_scope, provider):
    make_scope()
    provider.reply([f"word{number} " for number in range(1000)], delay=0.2)
    with serving() as port:
        answer = Service(port).ask(learner)
        answer.until(b"word1")
    assert AIWorkflowRun.objects.get().outcome == "cancelled"
    answer.connection.close()
