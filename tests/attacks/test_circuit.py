"""One person cannot switch the AI off for others: a provider is judged by what it does to several people."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model

from openedx_ai_extensions.core.cache import shared_cache
from openedx_ai_extensions.processors.llm.provider import circuit
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from tests.api.conftest import Api, error_of, text_of
from tests.fakes.provider import Break, Ending, Wire

STREAMED = {"processor_config": {"LLMProcessor": {"stream": True}}}
WHOLE = {"processor_config": {"LLMProcessor": {"stream": False}}}

FLAGGED = {
    "OpenRouter": {
        "error": {
            "code": 403,
            "message": "Your chosen model requires moderation and your input was flagged",
            "metadata": {"reasons": ["violence"], "flagged_input": "kraxel"},
        }
    },
    "xAI": {
        "code": "The caller does not have permission",
        "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO",
    },
    "a proxy": {"error": {"message": "This prompt was blocked by our safety system.", "type": "forbidden"}},
    "another proxy": {"error": {"message": "Refused: harmful content detected", "code": "moderation_blocked"}},
}
TOO_LONG = {"error": {"message": "prompt is too long: 20 tokens > 10 maximum", "type": "forbidden"}}
BY_KEY = [
    {"error": {"message": "Your API key does not have permission to use this model.", "type": "permission_error"}},
    {"error": {"message": "Billing is not active on your account, which was flagged.", "type": "forbidden"}},
    {"error": {"message": "Project does not have access to model gpt-fake", "code": "model_not_found"}},
]


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_CIRCUIT_REST = 300


@pytest.fixture
def people(db) -> list[Api]:
    """Ten of them, who may be in the course."""
    return [Api(get_user_model().objects.create_superuser(f"person{each}")) for each in range(10)]


def is_asked(provider, api: Api) -> bool:
    """Does this person's question get to the provider?"""
    before = len(provider.requests)
    provider.reset()
    response = api.run("Why green?", headers={"Accept": "application/json"})
    assert response.status_code == (200 if provider.requests else 503), (before, response.content)
    return bool(provider.requests)


def test_one_person_s_failures_are_nobody_else_s(people, make_scope, provider):
    make_scope(patch=WHOLE)
    provider.fail(503, times=20)
    for _time in range(20):
        people[0].run("Something that this provider cannot do")
    assert len(provider.requests) == 20
    assert is_asked(provider, people[1])


@pytest.mark.parametrize("number", [2, 3])
def test_three_people_s_failures_are_the_provider_s(people, make_scope, provider, number):
    make_scope(patch=WHOLE)
    provider.fail(503)
    for turn in range(6):
        people[turn % number].run("Why green?")
    assert is_asked(provider, people[-1]) == (number == 2)


@pytest.mark.parametrize("good", [6, 3], ids=["more go well", "more fail"])
def test_what_goes_well_meanwhile_counts(people, make_scope, provider, good):
    """A provider that fails less than half is not out of order."""
    make_scope(patch=WHOLE)
    provider.fail(503, times=1)
    people[0].run("Bad")
    for api in people[-good:]:
        assert api.run("Good").status_code == 200
    provider.fail(503, times=4)
    for api in (*people[1:4], people[1]):
        api.run("Bad")
    assert is_asked(provider, people[-1]) == (good == 6)


@pytest.mark.parametrize("body", FLAGGED.values(), ids=FLAGGED)
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_a_403_about_what_was_said_is_no_fault_of_the_provider(people, make_scope, provider, body, streams):
    make_scope(patch=STREAMED if streams else WHOLE)
    provider.fail(403, body)
    for api in people:
        assert error_of(api.run("kraxel")) == (422, "answer_declined")
    assert len(provider.requests) == len(people)
    assert is_asked(provider, people[0])


def test_nor_is_one_about_its_length(people, make_scope, provider):
    make_scope(patch=WHOLE)
    provider.fail(403, TOO_LONG)
    for api in people:
        assert error_of(api.run("Long")) == (400, "context_window_exceeded")
    assert is_asked(provider, people[0])


@pytest.mark.parametrize("body", BY_KEY, ids=["permission", "billing", "model"])
def test_one_about_the_key_is(people, make_scope, provider, body):
    make_scope(patch=WHOLE)
    provider.fail(403, body)
    for api in people[:5]:
        assert error_of(api.run("Why green?")) == (500, "invalid_api_key")
    assert not is_asked(provider, people[9])


@pytest.fixture
def _brief(settings, monkeypatch):
    """Answers may take five seconds, and yet a failure within them counts."""
    monkeypatch.setattr(circuit, "MIN_FAIR_SECONDS", 0)
    settings.AI_EXTENSIONS_TOTAL_TIMEOUT = 5
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 3


@pytest.mark.usefixtures("_brief")
def test_a_provider_that_is_still_writing_is_alive(people, make_scope, provider):
    make_scope(patch=STREAMED)
    provider.reply(["word "] * 10_000, delay=0.05)
    for api in people[:3]:
        text = text_of(api.run("Write ten thousand words"))
        assert text.startswith("word word")
        assert "streaming_failed" in text
    assert is_asked(provider, people[3])


def test_one_that_breaks_off_is_not(people, make_scope, provider):
    make_scope(patch=STREAMED)
    for api in people[:5]:
        provider.then(Break(after_chunks=1))
        assert "streaming_failed" in text_of(api.run("Why green?"))
    assert not is_asked(provider, people[9])


def test_an_answer_that_the_provider_stops_for_what_it_says(people, make_scope, provider):
    make_scope(patch=STREAMED)
    choice = {"index": 0, "delta": {"role": "assistant", "content": "Well, "}, "finish_reason": None}
    piece = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-fake", "choices": [choice]}
    message = "The response was filtered by our content management policy."
    stop = {"error": {"message": message, "code": "content_filter", "type": "invalid_request_error"}}
    provider.always(Wire([b"data: %s\n\n" % json.dumps(each).encode() for each in (piece, stop)], ending=Ending.PROPER))
    for api in people:
        assert "Well, " in text_of(api.run("Why green?"))
    assert is_asked(provider, people[0])


def rest_is_over() -> None:
    shared_cache().delete(circuit._keys(find_provider("default"))[circuit.OPEN_UNTIL])


def test_who_failed_at_the_last_try_leaves_the_next_to_others(people, make_scope, provider):
    """Else one person with a question that breaks a provider could keep it at rest."""
    make_scope(patch=WHOLE)
    provider.fail(503, times=6)
    for api in (*people[:3], *people[:2]):
        api.run("Why green?")
    rest_is_over()
    people[0].run("Break!")
    assert len(provider.requests) == 6
    rest_is_over()
    people[0].run("Break!")
    assert len(provider.requests) == 6
    assert is_asked(provider, people[1])
    assert is_asked(provider, people[0])
