"""One person holds no more of a streaming service's places than a few, and has each back when its stream is over."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from openedx_ai_extensions.models import AIWorkflowRun
from tests.fakes.provider import Break
from tests.streaming_service.conftest import Answer, service
from tests.waiting import eventually

__all__ = ["service"]

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 3
SOON = 10  # seconds: less than what waits for a provider looks up after by itself


@pytest.fixture(autouse=True)
def _few(settings, make_scope):
    settings.AI_EXTENSIONS_STREAMS_PER_PERSON = MOST
    make_scope()


def refusal_of(answer: Answer) -> tuple[int, str, str | None]:
    status, headers, body = answer.to_the_end()
    return status, json.loads(body)["error"]["code"], headers.get("retry-after")


@pytest.fixture
def held(service, learner, provider) -> Iterator[list[Answer]]:
    """As many streams as one person may have, under way."""
    provider.reply(["one ", "two ", "three"], delay=60)
    answers = []
    for number in range(MOST):
        answers.append(service.ask(learner))
        answers[number].until(b"one")
    yield answers
    provider.go_on()


def test_fifty_more_leave_room_for_others(service, learner, author, provider, held, settings):
    settings.AI_EXTENSIONS_MAX_STREAMS = 2 * MOST
    for _burst in range(10):
        answers = [service.ask(learner) for _number in range(5)]
        assert [refusal_of(answer) for answer in answers] == [(429, "quota_exceeded", "10")] * 5
        assert len(provider.requests) == MOST
    other = service.ask(author)
    assert b"HTTP/1.1 200" in other.until(b"one")
    provider.go_on()
    assert {answer.to_the_end()[2] for answer in (*held, other)} == {b"one two three"}


def test_the_refusal_is_in_the_person_s_language(service, learner, held):
    body = service.ask(learner, headers={"Accept-Language": "es"}).to_the_end()[2]
    error = json.loads(body)["error"]
    assert (error["scope"], error["limit"], error["resets_at"]) == ("person", "requests", None)
    assert error["message"].startswith("La IA sigue trabajando en 3 solicitudes")


@pytest.mark.parametrize("action", ["get_run_status", "cancel_run", "get_current_session_response"])
def test_what_asks_no_model_is_not_refused(service, learner, held, action):
    assert service.ask(learner, action=action).to_the_end()[0] != 429


def test_a_place_is_given_back_at_the_end(service, learner, provider, held):
    assert refusal_of(service.ask(learner))[0] == 429
    provider.go_on()
    assert [answer.to_the_end()[2] for answer in held] == [b"one two three"] * MOST
    eventually(lambda: service.ask(learner).to_the_end()[0] == 200, SOON)


def test_and_when_its_client_leaves(service, learner, provider, held):
    held[0].connection.close()
    eventually(lambda: AIWorkflowRun.objects.filter(outcome="cancelled").count() == 1, SOON)
    held[0] = service.ask(learner)
    held[0].until(b"one")
    assert refusal_of(service.ask(learner))[0] == 429


def test_so_is_that_of_a_client_who_leaves_before_the_first_word(service, learner, provider):
    provider.hang(60)
    answers = [service.ask(learner) for _number in range(MOST)]
    eventually(lambda: len(provider.requests) == MOST)
    assert refusal_of(service.ask(learner))[0] == 429
    for answer in answers:
        answer.connection.close()
    eventually(lambda: AIWorkflowRun.objects.filter(outcome="cancelled").count() == MOST, SOON)
    provider.hang(0)
    eventually(lambda: service.ask(learner).to_the_end()[0] == 200, SOON)


def test_so_is_that_of_a_stream_that_breaks_off_or_is_refused(service, learner, provider):
    for _number in range(MOST + 1):
        provider.then(Break(after_chunks=1))
        eventually(lambda: b"streaming_failed" in service.ask(learner).to_the_end()[2])
        assert service.ask(learner, action="no_such").to_the_end()[0] == 400
