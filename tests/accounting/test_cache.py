"""The response cache: the same question to the same provider, asked again, costs nothing."""

from __future__ import annotations

import itertools
import json
import logging
import socket
import uuid
from importlib import import_module

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ValidationError

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowRun
from tests.api.conftest import Api, error_of, text_of
from tests.conftest import SECRET
from tests.fakes.provider import Break, CallTools, FakeProvider, Say, ToolCall

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
TTLS = itertools.count(1000)
EVENTS = {"Accept": "text/event-stream"}


def redis_answers() -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", 6379)) == 0


@pytest.fixture(autouse=True)
def _enabled(settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_ENABLE_LLM_CACHE = True
    # One for each test: a process keeps one for each set of parameters.
    settings.AI_EXTENSIONS_LLM_CACHE = {"type": "local", "ttl": next(TTLS)}


@pytest.fixture
def provider(provider, settings):
    settings.AI_EXTENSIONS["default"]["PRICES"] = {"INPUT": 1, "OUTPUT": 1}
    provider.reply(["Gr", "een."], usage=USAGE)
    return provider


@pytest.fixture
def make(make_scope):
    def make(**llm):
        return make_scope(patch={"processor_config": {"LLMProcessor": {"cache": True, **llm}}})

    return make


def said(response) -> str:
    assert response.status_code == 200, response.content
    return text_of(response) if response.streaming else response.json()["response"]


@pytest.mark.parametrize("then_streams", [True, False], ids=["then streamed", "then whole"])
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_the_second_answer_costs_nothing(as_learner, make, provider, tracked, streams, then_streams):
    scope = make(stream=streams)
    assert said(as_learner.run("Why green?")) == "Green."
    profile = scope.profile
    profile.content_patch = json.dumps({"processor_config": {"LLMProcessor": {"cache": True, "stream": then_streams}}})
    profile.save()
    response = as_learner.run("Why green?")
    assert response.streaming == then_streams
    assert said(response) == "Green."
    assert len(provider.requests) == 1
    paid, free = AIWorkflowRun.objects.order_by("pk")
    assert (paid.is_cached, paid.tokens, paid.cost_micros) == (False, 110, 110)
    assert (free.is_cached, free.tokens, free.cost_micros, free.is_estimated) == (True, 0, 0, False)
    assert (free.outcome, free.calls, free.provider, free.held_tokens) == ("completed", 1, "default", 0)
    assert free.first_token_ms is not None
    assert [event["data"]["usage"] for event in tracked] == [USAGE, NOTHING]


def test_languages_are_not_mixed(learner, make, provider):
    make()
    languages = ("en", "es", "ar") * 2
    for language in languages:
        provider.reply(f"Answer in {language}.")
        assert said(Api(learner, headers={"Accept-Language": language}).run("Why green?")) == f"Answer in {language}."
    assert len(provider.requests) == 3


def test_events_say_so_too(as_learner, make, provider):
    make()
    texts = [text_of(as_learner.run("Why green?", headers=EVENTS)) for _number in range(2)]
    assert f"data: {json.dumps(USAGE)}" in texts[0]
    assert f"data: {json.dumps(NOTHING)}" in texts[1]
    assert "event: done" in texts[1]


def test_another_person_gets_the_same(as_learner, as_author, make, provider):
    make()
    assert said(as_learner.run("Why green?")) == said(as_author.run("Why green?")) == "Green."
    assert len(provider.requests) == 1


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_it_is_off_unless_both_site_and_profile_want_it(as_learner, make, provider, settings, streams):
    make(cache=False, stream=streams)
    for _number in range(2):
        said(as_learner.run("Why green?"))
    assert len(provider.requests) == 2
    settings.AI_EXTENSIONS_ENABLE_LLM_CACHE = False
    profile = AIWorkflowProfile.objects.get()
    profile.content_patch = json.dumps({"processor_config": {"LLMProcessor": {"cache": True}}})
    profile.save()
    for _number in range(2):
        said(as_learner.run("Why green?"))
    assert len(provider.requests) == 4


@pytest.mark.parametrize(
    "entry",
    [{"API_KEY": "sk-another"}, {"MODEL": "openai/gpt-next"}, {"API_BASE": None}, {"TEMPERATURE": 0.1}, {"name": "b"}],
    ids=["key", "model", "address", "parameter", "name"],
)
def test_never_shared_between_providers(as_learner, make, provider, settings, entry):
    make(stream=False)
    assert said(as_learner.run("Why green?")) == "Green."
    provider.reply("Blue.")
    with FakeProvider() as other:
        other.reply("Blue.")
        changed = {**settings.AI_EXTENSIONS["default"], **entry}
        changed["API_BASE"] = changed["API_BASE"] or other.base_url
        settings.AI_EXTENSIONS = {changed.pop("name", "default"): changed}
        assert said(as_learner.run("Why green?")) == "Blue."


def test_never_shared_between_languages(as_learner, make, provider, settings):
    make(stream=False)
    assert said(as_learner.run("Warum?", headers={"Accept-Language": "en"})) == "Green."
    provider.reply("Grün.")
    assert said(as_learner.run("Warum?", headers={"Accept-Language": "de"})) == "Grün."
    assert said(as_learner.run("Warum?", headers={"Accept-Language": "en"})) == "Green."


def test_another_question_is_another_answer(as_learner, make, provider):
    make(stream=False)
    said(as_learner.run("Why green?"))
    provider.reply("Blue.")
    assert said(as_learner.run("Why blue?")) == "Blue."


def test_an_answer_that_broke_off_is_not_kept(as_learner, make, provider):
    make()
    provider.then(Break(after_chunks=1))
    assert "error_in_stream" in text_of(as_learner.run("Why green?"))
    assert said(as_learner.run("Why green?")) == "Green."
    assert len(provider.requests) == 2


def test_conversations_with_tools_are_not_kept(as_learner, make, provider):
    make(stream=False, enabled_tools=["get_course_outline"])
    for _number in range(2):
        provider.then(CallTools(ToolCall("get_course_outline")), Say("Done."))
        assert said(as_learner.run("What is here?")) == "Done."
    assert len(provider.requests) == 4


@pytest.mark.parametrize("keeps", [True, False], ids=["thread of the provider", "thread of ours"])
def test_chats(as_learner, as_author, make_scope, provider, settings, keeps):
    """A thread of the provider's is one person's; what is sent whole is the same for all who send the same."""
    settings.AI_EXTENSIONS["default"]["CAPABILITIES"] = {"keeps_threads": keeps}
    without_tools = {"cache": True, "enabled_tools": []}
    make_scope(base_filepath="base/chat.json5", patch={"processor_config": {"LLMProcessor": without_tools}})
    for api in (as_learner, as_author):
        assert said(api.run("Why green?")) == "Green."
    assert len(provider.requests) == (2 if keeps else 1)


def test_a_hit_is_a_request_for_the_limits_and_takes_no_tokens(as_learner, make, provider, settings):
    make(stream=False)
    assert said(as_learner.run("Why green?")) == "Green."
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "month", "requests": 2, "tokens": 110}]
    assert said(as_learner.run("Why green?")) == "Green."
    assert error_of(as_learner.run("Why green?")) == (429, "quota_exceeded")


def test_what_was_asked_before_is_answered_while_the_provider_is_down(as_learner, make, provider, settings):
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 1
    make(stream=False)
    assert said(as_learner.run("Why green?")) == "Green."
    provider.fail(503)
    assert error_of(as_learner.run("Why blue?")) == (503, "service_unavailable")
    assert said(as_learner.run("Why green?")) == "Green."


def test_each_of_several_providers_has_its_own(as_learner, make, provider, settings):
    with FakeProvider() as second:
        second.reply("From the second.")
        entry = {**settings.AI_EXTENSIONS["default"], "API_BASE": second.base_url}
        settings.AI_EXTENSIONS["second"] = entry
        make(stream=False, fallbacks=["second"])
        provider.fail(503, times=2)
        assert said(as_learner.run("Why green?")) == "From the second."
        assert said(as_learner.run("Why green?")) == "From the second."
        assert (len(provider.requests), len(second.requests)) == (2, 1)
        run = AIWorkflowRun.objects.latest("pk")
        assert (run.is_cached, run.provider, run.fallback_from) == (True, "second", "default")
        assert said(as_learner.run("Why green?")) == "Green."


@pytest.mark.parametrize(
    "store",
    [
        {"type": "redis", "host": "127.0.0.1", "port": 9},
        {"type": "redis", "host": "127.0.0.1", "port": 9, "nonsense": 1},
        {"type": "disk", "disk_cache_dir": "/dev/null/nowhere"},
    ],
    ids=["down", "unknown parameter", "no such place"],
)
def test_a_store_that_fails_is_a_miss_and_logged_once(as_learner, make, provider, settings, caplog, store):
    caplog.set_level(logging.INFO)
    settings.AI_EXTENSIONS_LLM_CACHE = store
    make()
    for _number in range(3):
        assert said(as_learner.run("Why green?")) == "Green."
    assert len(provider.requests) == 3
    assert caplog.text.count("llm.cache.") == 1
    assert SECRET not in caplog.text


@pytest.mark.redis
@pytest.mark.skipif(not redis_answers(), reason="no Redis answers at 127.0.0.1:6379")
@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_redis(as_learner, make, provider, settings, streams):
    import redis

    asked = f"Why “green”, {{'a': \"b\"}}? {uuid.uuid4()}"
    provider.reply(["Grün, {'a': \"b\"}\n", "\\n “ok”"], usage=USAGE)
    store = {"type": "redis", "host": "127.0.0.1", "port": 6379, "db": 8, "ttl": 20}
    settings.AI_EXTENSIONS_LLM_CACHE = store
    make(stream=streams)
    first = said(as_learner.run(asked))
    settings.AI_EXTENSIONS_LLM_CACHE = {**store, "ttl": 19}  # made anew, as in another process
    assert said(as_learner.run(asked)) == first
    assert len(provider.requests) == 1
    kept = redis.Redis(port=6379, db=8)
    keys = kept.keys("openedx_ai_extensions:answer:*")
    assert keys
    assert all(0 < kept.ttl(key) <= 20 for key in keys)
    assert not any(SECRET.encode() in key + (kept.get(key) or b"") for key in keys)


@pytest.mark.parametrize(
    "wrong", ["redis", {"type": "redis-semantic"}, {"type": "nowhere"}, {"ttl": 0}, {"type": "local", "ttl": "1h"}],
    ids=str,
)  # fmt: skip
def test_the_setting_is_checked(settings, wrong):
    settings.AI_EXTENSIONS_LLM_CACHE = wrong
    assert [message.id for message in run_checks(tags=["ai_extensions"])] == ["openedx_ai_extensions.E001"]


@pytest.mark.parametrize("option", ["fallbacks", "caching", "cache", "context_window_fallback_dict"])
def test_a_profile_s_options_are_no_way_round(make, provider, option):
    with pytest.raises(ValidationError, match=rf"LLMProcessor\.options\.{option}: A profile cannot set this"):
        make(options={option: True})


def test_litellm_s_own_bookkeeping_stays_off(as_learner, make, provider):
    make(stream=False)
    said(as_learner.run("Why green?"))
    import litellm

    import_module("litellm.llms.vertex_ai.context_caching.vertex_ai_context_caching")  # it creates a cache
    assert litellm.cache is None
    assert "cache" not in [*litellm.input_callback, *litellm.success_callback, *litellm._async_success_callback]
