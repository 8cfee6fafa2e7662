"""The answers that are kept for repeated requests: few of each person, none too long, and none for nothing."""

from __future__ import annotations

import json

import pytest
from django.core.cache import cache

from openedx_ai_extensions.runtime.retirement import retire_user
from openedx_ai_extensions.runtime.runner import MAX_BYTES, PLACES
from tests.api.conftest import Api
from tests.api.test_replay import EVENTS, NO_STREAM, body_of
from tests.workflows.conversations.conftest import Chat, chat

__all__ = ["chat"]

MARK = "PRIVATE"


def kept() -> list[bytes]:
    """The values in the cache that hold an answer."""
    return [value for value in cache._cache.values() if MARK.encode() in value]


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.mark.parametrize("headers", [None, {"Accept": "application/json"}], ids=["either", "whole"])
def test_a_request_that_asks_no_model_fills_no_cache(chat: Chat, provider, headers):
    provider.reply(MARK)
    chat.say("Why?")
    number = len(cache._cache)
    for each in range(10):
        assert MARK in chat.say(None, headers=headers, request_id=f"r{each}").json()["response"]
    assert not kept()
    assert len(cache._cache) == number
    assert len(provider.requests) == 1


@pytest.mark.parametrize("orchestrator", ["MockResponse", "MockStreamResponse"])
def test_neither_does_a_workflow_without_one(learner, make_scope, orchestrator):
    make_scope(patch={"orchestrator_class": orchestrator})
    for each in range(10):
        assert MARK in body_of(Api(learner).run(MARK, request_id=f"r{each}"))
    assert not kept()


@pytest.mark.parametrize("patch", [None, NO_STREAM], ids=["stream", "whole"])
def test_a_person_has_a_limited_number_of_kept_answers(learner, author, make_scope, provider, patch):
    make_scope(patch=patch)
    provider.reply(MARK)
    for person in (learner, author):
        for each in range(2 * PLACES):
            body_of(Api(person).run("Why?", request_id=f"r{each}"))
    assert 2 * PLACES * 0.5 < len(kept()) <= 2 * PLACES
    asked = len(provider.requests)
    assert MARK in body_of(Api(author).run("Why?", request_id=f"r{2 * PLACES - 1}"))
    assert len(provider.requests) == asked


@pytest.mark.parametrize("patch", [None, NO_STREAM], ids=["stream", "whole"])
def test_an_answer_that_is_too_long_is_not_kept(learner, make_scope, provider, patch):
    make_scope(patch=patch)
    provider.reply([MARK, "é" * (MAX_BYTES // 2)])
    for _time in range(2):
        assert MARK in body_of(Api(learner).run("Why?", request_id="r1"))
    assert not kept()
    assert len(provider.requests) == 2


@pytest.mark.parametrize("headers", [None, EVENTS], ids=["text", "events"])
def test_whoever_is_retired_leaves_no_kept_answer(learner, author, make_scope, provider, headers):
    make_scope()
    provider.reply(MARK)
    for person in (learner, author):
        body_of(Api(person).run("Why?", request_id="r1", headers=headers))
    assert len(kept()) == 2
    retire_user(learner)
    assert len(kept()) == 1


def test_a_conversation_that_is_cleared_takes_its_kept_answers_with_it(chat: Chat, provider):
    provider.reply(MARK)
    chat.say("Why?", request_id="r1")
    chat.do("clear_session")
    assert not kept()
    provider.reply("fresh")
    assert chat.say("Why?", request_id="r1").json()["response"] == "fresh"


def test_a_change_is_made_once(chat: Chat, provider):
    chat.say("Why?")
    first = chat.api.run(None, action="clear_session", request_id="r1").json()
    chat.say("How?")
    assert chat.api.run(None, action="clear_session", request_id="r1").json() == first
    assert ("user", "How?") in chat.shown()
    assert json.loads(chat.answer())["messages"]
