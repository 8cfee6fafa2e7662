"""A provider that keeps failing is left alone for a while; then one request tries it."""

from __future__ import annotations

import threading
import time

import pytest
from django.core.cache import cache

from openedx_ai_extensions.models import AIWorkflowRun
from tests.api.conftest import Api, error_of, text_of
from tests.conftest import SECRET
from tests.fakes.provider import Break, FakeProvider
from tests.waiting import eventually

DECLINED = {"error": {"message": "content_policy_violation", "type": "e", "code": None}}
STREAMED = {"processor_config": {"LLMProcessor": {"stream": True}}}
WHOLE = {"processor_config": {"LLMProcessor": {"stream": False}}}


@pytest.fixture(autouse=True)
def _quick(settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 2
    settings.AI_EXTENSIONS_CIRCUIT_REST = 300


@pytest.fixture
def scope(make_scope, provider):
    return make_scope(patch=WHOLE)


def fail_twice(provider, *people):
    provider.fail(503)
    for api in people:
        api.run("Why green?")
    assert len(provider.requests) == 2
    provider.reset()


@pytest.fixture
def resting(scope, provider, as_learner, as_author):
    fail_twice(provider, as_learner, as_author)
    return provider


@pytest.fixture
def rested(scope, provider, as_learner, as_author, settings):
    """The rest is over: the next request tries."""
    settings.AI_EXTENSIONS_CIRCUIT_REST = 0.1
    fail_twice(provider, as_learner, as_author)
    settings.AI_EXTENSIONS_CIRCUIT_REST = 300
    time.sleep(0.2)
    return provider


def last_run() -> AIWorkflowRun:
    return AIWorkflowRun.objects.latest("pk")


@pytest.mark.parametrize("status", [500, 503, 401])
def test_it_rests_after_so_many_failures(as_learner, as_author, scope, provider, caplog, status):
    provider.fail(status)
    for api in (as_learner, as_author) * 2:
        api.run("Why green?")
    assert len(provider.requests) == 2
    response = as_learner.run("Why green?")
    assert error_of(response) == (503, "service_unavailable")
    assert 1 <= int(response["Retry-After"]) <= 300
    run = last_run()
    assert (run.outcome, run.error_code, run.provider, run.calls) == ("failed", "service_unavailable", "default", 0)
    assert (run.model, run.held_tokens, run.tokens) == ("openai/gpt-fake", 0, 0)
    assert caplog.text.count("llm.circuit.opened provider=default model=openai/gpt-fake failures=2 rest=300") == 1
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("status", "body"), [(429, None), (400, None), (400, DECLINED), (404, None)],
    ids=["busy", "a bad option", "declined", "no such model"],
)  # fmt: skip
def test_what_is_no_fault_of_the_provider_does_not_count(as_learner, as_author, scope, provider, status, body):
    provider.fail(status, body)
    for api in (as_learner, as_author) * 2:
        api.run("Why green?")
    assert len(provider.requests) == 4


def test_it_goes_on_while_most_go_well(as_learner, as_author, scope, provider):
    for number in range(9):
        if number % 4 == 0:
            provider.fail(503, times=1)
        (as_learner, as_author)[number % 2].run("Why green?")
    assert len(provider.requests) == 9


def test_streams_that_break_count(as_learner, as_author, make_scope, provider):
    make_scope(patch=STREAMED)
    provider.then(Break(after_chunks=1), Break(after_chunks=1))
    for api in (as_learner, as_author):
        assert "error_in_stream" in text_of(api.run("Why green?"))
    assert error_of(as_learner.run("Why green?")) == (503, "service_unavailable")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_after_the_rest_one_request_tries_and_all_go_on(
    as_learner, author, rested, scope, settings, make_scope, caplog, streams
):
    if streams:
        scope.profile.content_patch = '{"processor_config": {"LLMProcessor": {"stream": true}}}'
        scope.profile.save()
    rested.reply("Green.")
    rested.hang(60)
    answers = {}

    def ask():
        response = as_learner.run("Why green?")
        answers["probe"] = text_of(response) if response.streaming else response.json()["response"]

    probe = threading.Thread(target=ask)
    probe.start()
    eventually(lambda: rested.requests)
    assert error_of(Api(author).run("Why green?")) == (503, "service_unavailable")
    rested.go_on()
    probe.join()
    assert answers == {"probe": "Green."}
    assert as_learner.run("Why green?").status_code == 200
    assert len(rested.requests) == 2
    assert caplog.text.count("llm.circuit.closed provider=default") == 1


def test_a_try_that_fails_makes_it_rest_again(as_learner, rested, caplog):
    rested.fail(503)
    for _number in range(3):
        as_learner.run("Why green?")
    assert len(rested.requests) == 1
    assert "llm.circuit.stays_open" in caplog.text


def test_a_try_that_shows_nothing_is_made_again(as_learner, rested):
    rested.fail(429, times=1)
    assert error_of(as_learner.run("Why green?")) == (429, "rate_limit_exceeded")
    assert as_learner.run("Why green?").status_code == 200
    assert len(rested.requests) == 2


def test_a_try_that_the_limits_do_not_allow_leaves_it_to_the_next(as_learner, rested, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 0}]
    assert error_of(as_learner.run("Why green?")) == (429, "quota_exceeded")
    settings.AI_EXTENSIONS_LIMITS = []
    assert as_learner.run("Why green?").status_code == 200


def test_a_stand_in_is_asked_at_once(as_learner, resting, settings):
    with FakeProvider() as second:
        second.reply("From the second.")
        # The entry of the provider that rests stays as it is: one that changes is a new one.
        entry = {"MODEL": "openai/gpt-other", "API_KEY": "k", "API_BASE": second.base_url}
        settings.AI_EXTENSIONS = {**settings.AI_EXTENSIONS, "second": entry}
        profile = AIWorkflowRun.objects.latest("pk").profile
        profile.content_patch = '{"processor_config": {"LLMProcessor": {"stream": false, "fallbacks": ["second"]}}}'
        profile.save()
        assert as_learner.run("Why green?").json()["response"] == "From the second."
    assert not resting.requests
    run = last_run()
    assert (run.outcome, run.provider, run.fallback_from, run.calls) == ("completed", "second", "default", 1)


def test_an_entry_that_the_operator_mends_is_asked_at_once(as_learner, resting, settings):
    entry = {**settings.AI_EXTENSIONS["default"], "API_KEY": "sk-a-better-one"}
    settings.AI_EXTENSIONS = {"default": entry}
    assert as_learner.run("Why green?").status_code == 200


def test_it_can_be_switched_off(as_learner, as_author, scope, provider, settings):
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 0
    provider.fail(503)
    for api in (as_learner, as_author) * 2:
        api.run("Why green?")
    assert len(provider.requests) == 4


def test_lms_and_studio_share_what_they_know(as_learner, resting, settings):
    """They have a cache server in common, not a prefix."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": "cms"}}
    assert error_of(as_learner.run("Why green?")) == (503, "service_unavailable")
    cache.clear()


def test_a_cache_that_is_down_stops_nobody(as_learner, scope, provider, settings, caplog):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    }
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    provider.fail(503, times=3)
    statuses = [as_learner.run("Why green?").status_code for _number in range(4)]
    assert statuses == [503, 503, 503, 200]
    assert "llm.circuit.cache_down" in caplog.text
