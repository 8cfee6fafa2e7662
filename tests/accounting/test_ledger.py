"""Every run is a row: what it took, what it cost, how it ended. No word of what was said."""

from __future__ import annotations

import json

import pytest
from django.core.serializers import serialize
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.models import AIWorkflowRun
from tests.api.conftest import text_of
from tests.conftest import COURSE_ID, SECRET, SLOT, UNIT_ID
from tests.fakes.provider import Break, CallTools, Say, ToolCall

PRICES = {"INPUT": 2, "OUTPUT": 8, "CACHED_INPUT": 0.5}  # of a million tokens
NOT_STREAMED = {"processor_config": {"LLMProcessor": {"stream": False}}}
WITH_TOOL = {"processor_config": {"LLMProcessor": {"stream": False, "enabled_tools": ["get_course_outline"]}}}


@pytest.fixture
def provider(provider, settings):
    settings.AI_EXTENSIONS["default"]["PRICES"] = PRICES
    return provider


def the_run() -> AIWorkflowRun:
    return AIWorkflowRun.objects.get()


@pytest.mark.parametrize("streams", [True, False], ids=["streamed", "whole"])
def test_a_run_is_a_row_with_all_that_a_bill_needs(as_learner, learner, make_scope, provider, streams):
    scope = make_scope(patch=None if streams else NOT_STREAMED)
    provider.reply("Green.", usage={"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010})
    response = as_learner.run("Why green?")
    assert "Green." in (text_of(response) if streams else response.json()["response"])
    run = the_run()
    assert (run.outcome, run.error_code, run.calls) == ("completed", "", 1)
    assert (run.user_id, str(run.course_id), str(run.location_id)) == (learner.pk, COURSE_ID, UNIT_ID)
    assert (run.profile_id, run.profile_slug) == (scope.profile_id, "summary")
    assert (run.ui_slot_selector_id, run.action, run.service_variant) == (SLOT, "run", "lms")
    assert (run.provider, run.model, run.fallback_from) == ("default", "openai/gpt-fake", "")
    assert (run.prompt_tokens, run.completion_tokens, run.is_estimated) == (1000, 10, False)
    assert (run.cost_micros, run.price_source) == (2080, "site")
    assert 0 <= run.first_token_ms <= run.duration_ms
    assert (run.held_tokens, run.held_micros, run.held_until) == (0, 0, None)


def test_no_word_of_what_was_said_is_in_it(as_learner, make_scope, provider):
    make_scope(patch=NOT_STREAMED)
    provider.reply("An answer about bananas.")
    as_learner.run("A question about apples?")
    row = serialize("json", AIWorkflowRun.objects.all())
    assert not {"apples", "bananas", "sunlight makes", SECRET} & set(json.dumps(row).replace(".", " ").split())


def test_it_is_written_before_the_provider_is_called(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["Gr", "een."], usage={"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10})
    response = as_learner.run("Why green?")
    run = the_run()
    assert (run.outcome, run.calls) == ("running", 1)
    assert run.held_tokens > 1000
    assert run.held_micros > 0
    assert run.held_until > run.created_at
    text_of(response)
    assert the_run().outcome == "completed"


def test_all_rounds_of_a_conversation_with_tools_are_one_run(as_learner, make_scope, provider):
    make_scope(patch=WITH_TOOL)
    provider.then(CallTools(ToolCall("get_course_outline")), Say("Done."))
    as_learner.run("What is here?")
    run = the_run()
    assert (run.outcome, run.calls) == ("completed", 2)
    assert run.tokens == 2 * 16


@pytest.mark.parametrize(
    ("status", "code"), [(401, "invalid_api_key"), (400, "llm_config_error"), (503, "service_unavailable")]
)
def test_a_run_that_the_provider_fails_is_a_row(as_learner, make_scope, provider, settings, status, code):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    make_scope()
    provider.fail(status)
    as_learner.run("Why green?")
    run = the_run()
    assert (run.outcome, run.error_code, run.calls, run.tokens, run.held_tokens) == ("failed", code, 1, 0, 0)


def test_a_stream_that_breaks_is_paid_for_as_far_as_it_came(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["Plants are green because ", "of ", "chlorophyll"])
    provider.then(Break(after_chunks=1))
    assert "error_in_stream" in text_of(as_learner.run("Why green?"))
    run = the_run()
    assert (run.outcome, run.error_code, run.is_estimated) == ("failed", "streaming_failed", True)
    assert 3 <= run.completion_tokens <= 8
    assert run.prompt_tokens > 50
    assert run.cost_micros == run.prompt_tokens * 2 + run.completion_tokens * 8


def test_a_learner_who_leaves_is_a_cancelled_run(learner, make_scope, provider):
    provider.reply([f"word{n} " for n in range(1000)], delay=0.2)
    here = {"course_id": CourseKey.from_string(COURSE_ID), "location_id": UsageKey.from_string(UNIT_ID)}
    stream = make_scope().execute(user_input="Why green?", action="run", user=learner, running_context=here)
    next(stream)
    stream.close()
    assert (the_run().outcome, the_run().is_estimated) == ("cancelled", True)


def test_what_asks_no_model_is_no_run(as_learner, make_scope, provider):
    make_scope(base_filepath="base/chat.json5")
    for action in ("get_current_session_response", "lazy_load_chat_history", "get_run_status", "clear_session"):
        as_learner.run({"current_messages": 0}, action=action)
    as_learner.run("x", action="__init__")
    assert not AIWorkflowRun.objects.exists()


def test_a_run_that_fails_before_any_call_is_a_row_too(as_learner, make_scope, provider, settings):
    make_scope()
    settings.AI_EXTENSIONS = {}
    as_learner.run("Why green?")
    assert (the_run().outcome, the_run().error_code, the_run().calls) == ("failed", "llm_config_error", 0)


def test_the_event_says_what_the_ledger_says(as_learner, make_scope, provider, tracked):
    make_scope(patch=WITH_TOOL)
    provider.then(CallTools(ToolCall("get_course_outline")), Say("Done."))
    as_learner.run("What is here?")
    (event,) = tracked
    run = the_run()
    assert event["data"]["usage"] == {
        "prompt_tokens": run.prompt_tokens,
        "completion_tokens": run.completion_tokens,
        "total_tokens": run.tokens,
    }


@pytest.mark.parametrize(
    ("entry", "rate", "cost", "source"),
    [
        ({"MODEL": "openai/gpt-4o-mini"}, 1, 1500 + 60, "table"),  # 0.15 and 0.60 dollars a million
        ({"MODEL": "openai/gpt-4o-mini"}, 2, 3000 + 120, "table"),
        ({"MODEL": "openai/gpt-4o-mini", "PRICES": {"INPUT": 1, "OUTPUT": 1}}, 2, 10_100, "site"),
        ({"MODEL": "openai/unheard-of"}, 1, 0, "none"),
    ],
    ids=["LiteLLM's table", "in another currency", "the site's own price", "nobody knows"],
)
def test_prices(as_learner, make_scope, provider, settings, entry, rate, cost, source):
    settings.AI_EXTENSIONS = {"default": {"API_KEY": SECRET, "API_BASE": provider.base_url, **entry}}
    settings.AI_EXTENSIONS_CURRENCY_PER_USD = rate
    make_scope(patch=NOT_STREAMED)
    provider.reply("Green.", usage={"prompt_tokens": 10_000, "completion_tokens": 100, "total_tokens": 10_100})
    as_learner.run("Why green?")
    assert (the_run().cost_micros, the_run().price_source) == (cost, source)
