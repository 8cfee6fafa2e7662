"""What fails before a byte is sent is no fault of the provider; options that a model does not take are left out."""

from __future__ import annotations

import logging

import pytest

from openedx_ai_extensions.core.provider_entries import entries_problem
from openedx_ai_extensions.processors.llm.provider import circuit, providers
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from tests.conftest import SECRET
from tests.fakes.steps import Fail
from tests.providers.conftest import point_to
from tests.workflows.conversations.conftest import CHAT, Chat

pytestmark = pytest.mark.django_db

FAILURES = 5  # open the circuit


@pytest.fixture(autouse=True)
def _known_of_no_provider():
    providers._refused.clear()
    yield
    providers._refused.clear()


@pytest.mark.parametrize("streams", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize(
    ("entry", "code"),
    [
        pytest.param({"API_KEY": None}, "llm_config_error", id="no key"),
        pytest.param({"MODEL": "nobody/knows-this"}, "llm_config_error", id="no such provider"),
        pytest.param({"MODEL": "bedrock/needs-boto3"}, "llm_config_error", id="a library that is not installed"),
    ],
)
def test_our_own_faults_are_neither_repeated_nor_counted(
    learner, provider, make_scope, settings, monkeypatch, caplog, streams, entry, code
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = FAILURES
    point_to(provider, settings, "openai/gpt-fake")
    settings.AI_EXTENSIONS["default"] |= entry
    make_scope(base_filepath=CHAT, slug="chat", patch={"processor_config": {"LLMProcessor": {"stream": streams}}})
    caplog.set_level(logging.WARNING, "openedx_ai_extensions")
    for _number in range(FAILURES + 1):
        response = Chat(learner).say("Why?")
        assert (response.status_code, response.json()["error"]["code"]) == (500, code)
    assert not provider.requests
    assert circuit.status(find_provider("default")) == circuit.CircuitStatus()
    logged = [record.getMessage() for record in caplog.records if "llm.call.failed" in record.getMessage()]
    assert len(logged) == FAILURES + 1
    assert all("sent=False" in line and "cause=" in line and "cause=- " not in line for line in logged)
    assert not any("llm.retry" in record.getMessage() or SECRET in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/v1", "http://[::1/v1", "127.0.0.1/v1", "", 7, "http://a b/"])
def test_an_address_that_is_none_sends_nothing_anywhere_else(learner, provider, make_scope, settings, address):
    point_to(provider, settings, "openai/gpt-fake", API_BASE=address)
    make_scope(base_filepath=CHAT, slug="chat")
    response = Chat(learner).say("Why?")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "llm_config_error")
    assert "API_BASE" in str(entries_problem(settings.AI_EXTENSIONS))


def test_an_unreachable_provider_is_a_fault_of_the_provider(learner, provider, make_scope, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    point_to(provider, settings, "openai/gpt-fake", API_BASE="http://127.0.0.1:9/v1")
    make_scope(base_filepath=CHAT, slug="chat")
    response = Chat(learner).say("Why?")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "service_unavailable")
    assert circuit.status(find_provider("default")).failures == 1


OPTIONS = {"temperature": 0.3, "top_p": 0.5, "max_tokens": 50}


@pytest.mark.parametrize(
    ("model", "more", "left_out"),
    [
        pytest.param("openai/gpt-5-mini", {}, ["temperature", "top_p"], id="a model that LiteLLM knows"),
        pytest.param("azure/ours", {"BASE_MODEL": "azure/gpt-5-mini", "API_VERSION": "2024-10-21"},
                     ["temperature", "top_p"], id="a deployment that says which model it is"),
        pytest.param("openai/gpt-fake", {}, [], id="a model that nobody knows"),
    ],
)  # fmt: skip
def test_options_that_a_model_does_not_take(learner, provider, make_scope, settings, caplog, model, more, left_out):
    point_to(provider, settings, model, CAPABILITIES={"keeps_threads": False}, **more)
    scope = make_scope(
        base_filepath=CHAT, slug="chat", patch={"processor_config": {"LLMProcessor": {"options": OPTIONS}}}
    )
    warned = [problem.path.rpartition(".")[2] for problem in scope.profile.problems(thorough=True)]
    assert warned == left_out
    assert scope.profile.problems() == []
    caplog.set_level(logging.WARNING, "openedx_ai_extensions")
    assert Chat(learner).answer("Why?")
    sent = provider.requests[0]
    assert not set(left_out) & set(sent)
    assert (set(OPTIONS) - set(left_out) - {"max_tokens"}) <= set(sent)
    logged = [record.getMessage() for record in caplog.records if "llm.options_dropped" in record.getMessage()]
    assert logged == (
        [f"llm.options_dropped provider=default model={model} options=temperature,top_p"] if left_out else []
    )


def test_an_option_that_only_the_provider_knows_it_does_not_take(learner, provider, make_scope, settings):
    point_to(provider, settings, "openai/gpt-fake")
    make_scope(base_filepath=CHAT, slug="chat", patch={"processor_config": {"LLMProcessor": {"options": OPTIONS}}})
    body = {
        "error": {
            "message": "Unsupported value: 'temperature' does not support 0.3 with this model.",
            "type": "invalid_request_error",
            "param": "temperature",
            "code": "unsupported_value",
        }
    }
    provider.then(Fail(400, body))
    assert Chat(learner).answer("Why?")
    assert Chat(learner).answer("And why that?")
    assert ["temperature" in request for request in provider.requests] == [True, False, False]
    assert all("top_p" in request for request in provider.requests)


def test_a_limit_of_the_entry_gives_way_to_the_profiles_own(learner, provider, make_scope, settings):
    options = {"max_completion_tokens": 70}
    point_to(provider, settings, "openai/gpt-fake", MAX_TOKENS=900)
    make_scope(base_filepath=CHAT, slug="chat", patch={"processor_config": {"LLMProcessor": {"options": options}}})
    assert Chat(learner).answer("Why?")
    assert "max_tokens" not in provider.requests[0]
    assert provider.requests[0]["max_completion_tokens"] == 70


def test_a_limit_of_the_entry_holds_in_threads(learner, provider, make_scope, settings):
    point_to(provider, settings, "openai/gpt-fake", MAX_TOKENS=900, CAPABILITIES={"keeps_threads": True})
    make_scope(base_filepath=CHAT, slug="chat")
    assert Chat(learner).answer("Why?")
    assert provider.requests[0]["max_output_tokens"] == 900
