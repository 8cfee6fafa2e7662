"""Every parameter that an entry of ``AI_EXTENSIONS`` may have: accepted with its meaning, or refused; never a crash."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from openedx_ai_extensions.console.checks import check_settings
from openedx_ai_extensions.core.provider_parameters import PARAMETERS, Parameter, Use
from tests.api.conftest import Api
from tests.workflows.conversations.conftest import CHAT, JSON, Chat

# A good value of each parameter that is not refused; None for what every provider of these tests has.
GOOD: dict[str, Any] = {
    "model": None,
    "base_model": "gpt-4.1-mini",
    "total_timeout": 20,
    "timeout": 20,
    "request_timeout": 20,
    "first_byte_timeout": 20,
    "stream_timeout": 20,
    "connect_timeout": 5,
    "max_retries": 0,
    "num_retries": 0,
    "max_input_tokens": 50_000,
    "prices": {"INPUT": 1, "OUTPUT": 2},
    "fallbacks": [],
    "processor": "Example University",
    "region": "EU",
    "capabilities": {"STREAMS_USAGE": False},
    "store": False,
    "api_key": None,
    "api_base": None,
    "base_url": None,
    "api_version": "2024-10-21",
    "organization": "org",
    "deployment_id": "ours",
    "user": "the site",
    "custom_llm_provider": "openai",
    "headers": {"X-Site": "ours"},
    "extra_headers": {"X-Site": "ours"},
    "extra_body": {"seed": 7},
    "metadata": {"site": "ours"},
    "drop_params": True,
    "max_tokens": 50,
    "max_completion_tokens": 50,
    "temperature": 0.5,
    "top_p": 0.5,
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
    "mock_response": "Hello from the model.",
}
# What a provider would be sent under the name of a refused parameter, if it was passed on.
TELLTALE = "from-the-entry"


def complaints() -> str:
    return " ".join(message.msg for message in check_settings())


def names_of(parameter: Parameter, number: int) -> dict[str, str]:
    """The parameter's names by what a site may write for them."""
    spellings = (str.upper, str.lower, str.title)
    return {spellings[number % 3](name.replace("*", "x")): name for name in parameter.names}


@pytest.mark.parametrize("threads", [False, True], ids=["chat completions", "threads"])
def test_no_parameter_makes_a_call_fail(learner, provider, settings, make_scope, subtests, threads):
    make_scope(base_filepath=CHAT, patch="{processor_config: {LLMProcessor: {enabled_tools: []}}}")
    entry = {**settings.AI_EXTENSIONS["default"], "CAPABILITIES": {"KEEPS_THREADS": threads}}
    chat = Chat(learner)
    for number, parameter in enumerate(PARAMETERS):
        with subtests.test(parameter.names[0]):
            provider.reset()
            written = names_of(parameter, number)
            is_refused = parameter.use is Use.REFUSED
            values = {key: TELLTALE if is_refused else GOOD[name] for key, name in written.items()}
            added = {key: value for key, value in values.items() if value is not None and key.upper() not in entry}
            settings.AI_EXTENSIONS = {"default": {**entry, **added}}
            assert "Hello from the model." in (chat.answer("Why green?") if number % 2 else chat.stream("Where?"))
            said = complaints()
            assert [key for key in written if f"{key!r} must be left out: " in said] == list(written) * is_refused
            assert bool(said) == is_refused
            for sent in provider.requests:
                assert TELLTALE not in str({**sent, "headers": {}})
                if parameter.use is Use.OURS:
                    assert not sent.keys() & {*written.values()} - {"model", "store"}


@pytest.mark.parametrize("key", ["TIMEOUT", "timeout", "REQUEST_TIMEOUT", "Total_Timeout"])
def test_a_time_limit_of_an_entry(learner, provider, settings, make_scope, key):
    make_scope()
    settings.AI_EXTENSIONS["default"][key] = 0.2
    provider.hang(60)
    assert Api(learner).run(headers=JSON).status_code == 503


def test_the_limit_that_says_it_is_the_total_wins(learner, provider, settings, make_scope):
    make_scope()
    settings.AI_EXTENSIONS["default"] |= {"REQUEST_TIMEOUT": 0.1, "TIMEOUT": 0.1, "TOTAL_TIMEOUT": 20}
    provider.hang(0.5)
    assert Api(learner).run(headers=JSON).status_code == 200


@pytest.mark.parametrize(("key", "site"), [("MAX_RETRIES", 0), ("num_retries", 0), ("NUM_RETRIES", 5)])
def test_retries_of_an_entry(learner, provider, settings, make_scope, key, site):
    make_scope()
    settings.AI_EXTENSIONS_MAX_RETRIES = site
    settings.AI_EXTENSIONS["default"][key] = 3
    provider.fail(429, headers={"Retry-After": "0"})
    assert Api(learner).run(headers=JSON).status_code == 429
    assert len(provider.requests) == 4


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        pytest.param({"TIMEOUT": 0}, "'TIMEOUT' must be a number greater than 0", id="no time"),
        pytest.param({"TIMEOUT": "20"}, "'TIMEOUT' must be a number greater than 0", id="a time in words"),
        pytest.param({"TIMEOUT": float("inf")}, "'TIMEOUT' must not hold numbers", id="endless time"),
        pytest.param({"TIMEOUT": float("nan")}, "'TIMEOUT' must not hold numbers", id="a time that is no number"),
        pytest.param({"TIMEOUT": 1e300}, "at most 1000000000", id="longer than a lock can wait"),
        pytest.param({"TIMEOUT": True}, "'TIMEOUT' must be a number", id="a time that is true"),
        pytest.param({"timeout": 5, "TIMEOUT": 6}, "'TIMEOUT' is there twice", id="twice"),
        pytest.param({"MODEL ": "openai/x"}, "'MODEL ' is there twice", id="twice, with a space"),
        pytest.param({"model": "openai/x"}, "'model' is there twice", id="two models"),
        pytest.param({"TIMEOUT ": 5}, "'TIMEOUT ' must not have spaces", id="a space after a key"),
        pytest.param({"TIME OUT": 5}, "'TIME OUT' must be a text without spaces", id="a space in a key"),
        pytest.param({"": 5}, "'' must be a text without spaces", id="an empty key"),
        pytest.param({7: 5}, "7 must be a text without spaces", id="a key that is a number"),
        pytest.param({None: 5}, "None must be a text", id="a key that is None"),
        pytest.param({"TEMPERATURE": None}, "'TEMPERATURE' must not be None", id="None"),
        pytest.param({"TEMPERATURE": float("nan")}, "'TEMPERATURE' must not hold numbers", id="not a number"),
        pytest.param({"TEMPERATURE": "hot"}, "'TEMPERATURE' must be a number", id="a number in words"),
        pytest.param({"SEED": 10**400}, "'SEED' must not hold numbers beyond 64 bits", id="a huge number"),
        pytest.param({"STOP": ["\ud800"]}, "'STOP' must not hold", id="half of a character"),
        pytest.param({"EXTRA_BODY": {"a": [float("inf")]}}, "'EXTRA_BODY' must not hold numbers", id="deep inside"),
        pytest.param({"EXTRA_BODY": {"n": 2}}, "'EXTRA_BODY' must not have n", id="by another way"),
        pytest.param({"MAX_RETRIES": -1}, "'MAX_RETRIES' must be a whole number", id="fewer than no retries"),
        pytest.param({"NUM_RETRIES": 1.5}, "'NUM_RETRIES' must be a whole number", id="half a retry"),
        pytest.param({"MAX_INPUT_TOKENS": "9"}, "'MAX_INPUT_TOKENS' must be a whole number", id="tokens in words"),
        pytest.param({"PRICES": {"INPUT": 1}}, "'PRICES' must have INPUT and OUTPUT", id="half of the prices"),
        pytest.param({"PRICES": {"INPUT": 1, "OUTPUT": Decimal("NaN")}}, "'PRICES' must not hold", id="no price"),
        pytest.param({"FALLBACKS": "default"}, "'FALLBACKS' must be a list of texts", id="fallbacks are a text"),
        pytest.param({"FALLBACKS": ["gone"]}, "FALLBACKS name providers that do not exist: gone", id="gone"),
        pytest.param({"EXTRA_HEADERS": {"X": 1}}, "'EXTRA_HEADERS' must be a dictionary of texts", id="no headers"),
        pytest.param({"METADATA": "m"}, "'METADATA' must be a dictionary", id="no metadata"),
        pytest.param({"DROP_PARAMS": "yes"}, "'DROP_PARAMS' must be True or False", id="neither"),
        pytest.param({"STORE": True}, "'STORE' must be False", id="storing"),
        pytest.param({"BASE_MODEL": 4}, "'BASE_MODEL' must be a text", id="no base model"),
        pytest.param({"REGION": 4}, "'REGION' must be a text", id="no region"),
        pytest.param({"PROCESSOR": ["A"]}, "'PROCESSOR' must be a text", id="a list of processors"),
        pytest.param({"PROCESSOR": f"sk-{'k' * 20}"}, "'PROCESSOR' must not be a key", id="a key as processor"),
    ],
)
def test_what_is_refused_is_left_out(learner, provider, settings, make_scope, caplog, parameters, words):
    make_scope()
    settings.AI_EXTENSIONS["default"] |= parameters
    assert words in complaints()
    response = Api(learner).run(headers=JSON)
    assert (response.status_code, response.json()["response"]) == (200, "Hello from the model.")
    assert Api(learner).run(headers=JSON).status_code == 200
    assert caplog.text.count("llm.provider.parameters_ignored provider=default") <= 1, "once for a process"


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param({"default": {"MODEL": 5}}, id="a model that is a number"),
        pytest.param({"default": {"MODEL": None}}, id="no model"),
        pytest.param({"default": {"MODEL": "openai/a b"}}, id="a space in a model"),
        pytest.param({"default": {"MODEL": ""}}, id="an empty model"),
        pytest.param({"default": {}}, id="nothing"),
        pytest.param({"default": ["MODEL"]}, id="a list"),
        pytest.param({"default": None}, id="None"),
        pytest.param({7: {"MODEL": "openai/x"}, "default": "openai/x"}, id="a name that is a number"),
        pytest.param(["openai/x"], id="no dictionary of entries"),
        pytest.param(None, id="None in place of entries"),
    ],
)
def test_an_entry_that_cannot_be_used_is_the_operators_fault(
    learner, provider, settings, make_scope, admin_client, entries
):
    make_scope()
    settings.AI_EXTENSIONS = entries
    assert "AI_EXTENSIONS" in complaints()
    response = Api(learner).run(headers=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (500, "llm_config_error")
    assert provider.requests == []
    for page in ("aiworkflowprofile/", "aiworkflowprofile/add/", "aiworkflowscope/"):
        assert admin_client.get(f"/admin/openedx_ai_extensions/{page}").status_code == 200
    # A provider that this service does not have is no error: another may have it.
    make_scope(slug="other", slot="other", patch='{processor_config: {LLMProcessor: {provider: "gone"}}}')


def test_spaces_around_a_value_are_taken_away(learner, provider, settings, make_scope):
    make_scope()
    entry = settings.AI_EXTENSIONS["default"]
    settings.AI_EXTENSIONS = {"default": {**entry, "MODEL": " openai/gpt-fake", "API_KEY": f"{entry['API_KEY']}\n"}}
    assert "'MODEL' must not have spaces around it" in complaints()
    assert "'API_KEY' must not have spaces around it" in complaints()
    assert entry["API_KEY"] not in complaints()
    assert Api(learner).run(headers=JSON).status_code == 200
    assert provider.requests[0]["headers"]["Authorization"] == f"Bearer {entry['API_KEY']}"
