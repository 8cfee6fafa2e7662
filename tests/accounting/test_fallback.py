"""Another provider answers when the profile's own fails before it has said anything; the ledger shows who and why."""

from __future__ import annotations

import json

import pytest
from django.core.checks import run_checks

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowRun
from tests.api.conftest import error_of, text_of
from tests.conftest import SECRET
from tests.fakes.provider import Break, CallTools, Fail, FakeProvider, Say, ToolCall

WHOLE = {"stream": False}
TOO_LONG = {"error": {"message": "maximum context length is 10", "type": "e", "code": "context_length_exceeded"}}
DECLINED = {"error": {"message": "content_policy_violation", "type": "e", "code": "content_policy_violation"}}
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


@pytest.fixture
def second(provider, settings):
    """The provider that stands in; it says another thing, and costs another price."""
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    first = {**settings.AI_EXTENSIONS["default"], "PRICES": {"INPUT": 1, "OUTPUT": 1}}
    with FakeProvider() as fake:
        entry = {"MODEL": "openai/gpt-other", "API_KEY": "sk-other", "API_BASE": fake.base_url}
        settings.AI_EXTENSIONS = {
            "default": {**first, "FALLBACKS": ["second"]},
            "second": {**entry, "PRICES": {"INPUT": 10, "OUTPUT": 10}},
        }
        provider.reply("From the first.", usage=USAGE)
        fake.reply("From the second.", usage=USAGE)
        yield fake


@pytest.fixture
def make(make_scope):
    def make(**llm):
        return make_scope(patch={"processor_config": {"LLMProcessor": llm}})

    return make


def the_run() -> AIWorkflowRun:
    return AIWorkflowRun.objects.get()


def said(response) -> str:
    assert response.status_code == 200, response.content
    return text_of(response) if response.streaming else response.json()["response"]


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("status", [500, 503, 401, 403, 404, 400, 429])
def test_a_provider_s_own_trouble_is_passed_on(as_learner, make, provider, second, caplog, status, streams):
    make(stream=streams)
    provider.fail(status)
    assert said(as_learner.run("Why green?")) == "From the second."
    run = the_run()
    assert (run.outcome, run.error_code, run.calls) == ("completed", "", 2)
    assert (run.provider, run.model, run.fallback_from) == ("second", "openai/gpt-other", "default")
    assert (run.tokens, run.cost_micros, run.held_tokens) == (110, 1100, 0)
    assert "llm.fallback provider=default code=" in caplog.text
    assert not {SECRET, "sk-other", "Why green?"} & set(caplog.text.split())
    assert second.requests[0]["headers"]["Authorization"] == "Bearer sk-other"


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(
    ("body", "code"),
    [(TOO_LONG, "context_window_exceeded"), (DECLINED, "answer_declined")],
    ids=["too long", "declined"],
)
def test_what_is_the_learner_s_is_not_passed_on(as_learner, make, provider, second, body, code, streams):
    make(stream=streams)
    provider.fail(400, body)
    assert error_of(as_learner.run("Why green?"))[1] == code
    assert not second.requests
    assert (the_run().error_code, the_run().fallback_from) == (code, "")


@pytest.mark.parametrize(
    ("first_reads", "second_reads", "passed_on"),
    [(8_000, 16_000, True), (8_000, 8_000, False), (8_000, None, False), (None, 16_000, False), (5, 16_000, True)],
    ids=["larger", "as large", "unknown", "nobody knows the first's", "known beforehand to be too small"],
)
def test_what_is_too_long_goes_to_a_larger_window(
    as_learner, make, provider, second, settings, first_reads, second_reads, passed_on
):
    make(**WHOLE)
    for name, tokens in (("default", first_reads), ("second", second_reads)):
        if tokens:
            settings.AI_EXTENSIONS[name]["MAX_INPUT_TOKENS"] = tokens
    provider.fail(400, TOO_LONG)
    response = as_learner.run("Why green?")
    if passed_on:
        assert said(response) == "From the second."
        assert len(provider.requests) == (0 if first_reads == 5 else 1)
    else:
        assert error_of(response) == (400, "context_window_exceeded")


def test_a_stand_in_that_reads_less_is_no_reason_to_say_too_long(as_learner, make, provider, second, settings):
    make(**WHOLE)
    settings.AI_EXTENSIONS["second"]["MAX_INPUT_TOKENS"] = 5
    provider.fail(503)
    assert error_of(as_learner.run("Why green?")) == (503, "service_unavailable")
    assert not second.requests


def test_an_answer_that_broke_off_is_not_begun_again(as_learner, make, provider, second):
    make()
    provider.then(Break(after_chunks=1))
    provider.reply(["From ", "the ", "first."])
    text = text_of(as_learner.run("Why green?"))
    assert text.startswith("From ||{")
    assert "error_in_stream" in text
    assert not second.requests
    assert (the_run().outcome, the_run().provider) == ("failed", "default")


def test_a_stream_that_breaks_before_it_says_anything_is_passed_on(as_learner, make, provider, second):
    make()
    provider.then(Break(after_chunks=0))
    assert said(as_learner.run("Why green?")) == "From the second."


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_a_silent_provider_leaves_time_for_the_next(as_learner, make, provider, second, settings, streams):
    settings.AI_EXTENSIONS_MAX_RETRIES = 2
    settings.AI_EXTENSIONS_TOTAL_TIMEOUT = 10
    settings.AI_EXTENSIONS_FIRST_BYTE_TIMEOUT = 1
    make(stream=streams)
    provider.hang(300)
    assert said(as_learner.run("Why green?")) == "From the second."
    assert len(provider.requests) == 1


def test_the_time_limit_is_for_all_tries(as_learner, make, provider, second, settings):
    settings.AI_EXTENSIONS_TOTAL_TIMEOUT = 3
    settings.AI_EXTENSIONS_FIRST_BYTE_TIMEOUT = 10
    make()
    provider.hang(300)
    second.hang(300)
    assert error_of(as_learner.run("Why green?")) == (503, "service_unavailable")


@pytest.mark.parametrize(
    ("own", "asked"),
    [(["third", "second"], ["third"]), ([], []), (["nobody", "third"], ["third"]), (["default", "third"], ["third"])],
    ids=["its own order", "none", "an unknown name", "itself"],
)
def test_a_profile_s_own_list_comes_first(as_learner, make, provider, second, settings, own, asked):
    with FakeProvider() as third:
        third.reply("From the third.")
        settings.AI_EXTENSIONS["third"] = {**settings.AI_EXTENSIONS["second"], "API_BASE": third.base_url}
        make(**WHOLE, fallbacks=own)
        provider.fail(503)
        response = as_learner.run("Why green?")
        assert len(third.requests) == len(asked)
    assert response.status_code == (200 if asked else 503)
    assert not second.requests


def test_when_all_fail_the_last_is_named(as_learner, make, provider, second):
    make(**WHOLE)
    provider.fail(503)
    second.fail(401)
    assert error_of(as_learner.run("Why green?")) == (500, "invalid_api_key")
    run = the_run()
    assert (run.outcome, run.error_code, run.provider, run.fallback_from) == (
        "failed", "invalid_api_key", "second", "default",
    )  # fmt: skip


@pytest.mark.parametrize(("per", "goes_on"), [("provider", True), ("person", False), ("site", False)])
def test_only_a_provider_s_own_limit_is_passed_on(as_learner, make, provider, second, settings, per, goes_on):
    settings.AI_EXTENSIONS_LIMITS = [
        {"per": per, "period": "month", "requests": 1, **({"provider": "default"} if per == "provider" else {})}
    ]
    make(**WHOLE)
    assert said(as_learner.run("Why green?")) == "From the first."
    response = as_learner.run("Why green?")
    if goes_on:
        assert said(response) == "From the second."
        run = AIWorkflowRun.objects.latest("pk")
        assert (run.outcome, run.refused_by, run.calls, run.fallback_from) == ("completed", "", 1, "default")
    else:
        assert error_of(response) == (429, "quota_exceeded")


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_whoever_answered_goes_on_with_the_tools(as_learner, make, provider, second, streams):
    make(stream=streams, enabled_tools=["get_course_outline"])
    provider.then(Fail(503))
    second.then(CallTools(ToolCall("get_course_outline")), Say("From the second, with tools."))
    assert said(as_learner.run("What is here?")) == "From the second, with tools."
    assert (len(provider.requests), len(second.requests)) == (1, 2)
    run = the_run()
    assert (run.calls, run.provider, run.fallback_from) == (3, "second", "default")


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_a_thread_falls_back_with_its_whole_history_and_comes_home(
    as_learner, make_scope, provider, second, settings, streams
):
    settings.AI_EXTENSIONS["default"]["CAPABILITIES"] = {"keeps_threads": True}
    make_scope(base_filepath="base/chat.json5", patch={"processor_config": {"LLMProcessor": {"stream": streams}}})
    assert said(as_learner.run("One?")) == "From the first."
    provider.fail(503, times=1)
    assert said(as_learner.run("Two?")) == "From the second."
    (asked,) = second.requests
    assert asked["path"].endswith("/chat/completions")
    spoken = [message["content"] for message in asked["messages"]]
    assert [any(word in text for text in spoken) for word in ("One?", "From the first.", "Two?")] == [True] * 3
    assert said(as_learner.run("Three?")) == "From the first."
    home = provider.requests[-1]
    assert home["path"].endswith("/responses")
    assert "previous_response_id" not in home
    assert "From the second." in json.dumps(home["input"])


def test_options_that_the_stand_in_does_not_know_stay_behind(as_learner, make, provider, second, settings):
    settings.AI_EXTENSIONS["second"] |= {"MODEL": "anthropic/claude-fake", "API_BASE": second.anthropic_url}
    make(**WHOLE, options={"temperature": 0.5, "seed": 7})
    provider.fail(503)
    assert said(as_learner.run("Why green?")) == "From the second."
    assert (provider.requests[0]["temperature"], provider.requests[0]["seed"]) == (0.5, 7)
    assert second.requests[0]["temperature"] == 0.5
    assert "seed" not in second.requests[0]


def test_cards_come_from_the_next_provider_too(as_learner, make_scope, provider, second, settings):
    make_scope(base_filepath="base/flashcards.json5")
    provider.fail(503)
    second.then(Say("no cards"), Say(json.dumps({"cards": [{"question": "Why green?", "answer": "Chlorophyll."}]})))
    response = as_learner.run({"num_cards": 1})
    assert response.status_code == 200, response.content
    assert (len(provider.requests), len(second.requests)) == (1, 2)


@pytest.mark.django_db
def test_unknown_names_are_told_when_a_profile_is_saved(make, provider, second):
    make(fallbacks=["second", "nobody"])
    (problem,) = AIWorkflowProfile.objects.get().problems()
    assert (problem.path, problem.severity) == ("$.processor_config.LLMProcessor.fallbacks[1]", "warning")
    assert "default, second" in problem.message


@pytest.mark.parametrize("wrong", ["second", ["nobody"], [1], 7], ids=str)
def test_the_site_s_own_list_is_checked(settings, second, wrong):
    settings.AI_EXTENSIONS["default"]["FALLBACKS"] = wrong
    settings.AI_EXTENSIONS = dict(settings.AI_EXTENSIONS)
    assert [message.id for message in run_checks(tags=["ai_extensions"])] == ["openedx_ai_extensions.E001"]
