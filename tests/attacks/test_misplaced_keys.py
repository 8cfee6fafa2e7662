"""A key that was pasted into the wrong field: ``check`` refuses it without saying it, and nobody reads it anywhere."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.models import AIWorkflowRun
from tests.api.conftest import Api
from tests.conftest import SECRET

KEY = "sk-proj-Zx9LiveKey1234567890abcdefGHIJ"
PAGES = ("aihealth", "aiworkflowrun", "aiusagebyplace", "aiworkflowprofile")


def said() -> list[tuple[str, str]]:
    """Number, and text with hint, of each of our messages of ``check``."""
    return [
        (message.id.rpartition(".")[2], f"{message.msg} {message.hint}")
        for message in run_checks()
        if (message.id or "").startswith("openedx_ai_extensions")
    ]


@pytest.fixture
def entry(provider, settings) -> dict[str, str]:
    settings.AI_EXTENSIONS_PROVIDER_DEFAULTS = {"MAX_RETRIES": 0}
    return {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": provider.base_url}


def places(entry: dict[str, str]) -> dict[str, dict]:
    return {
        "model": {"default": {**entry, "MODEL": KEY}},
        "model of a provider": {"default": {**entry, "MODEL": f"openai/{KEY}"}},
        "base model": {"default": {**entry, "BASE_MODEL": KEY}},
        "name": {KEY: entry},
        "region": {"default": {**entry, "REGION": KEY}},
        "fallback": {"default": {**entry, "FALLBACKS": [KEY]}},
        "library": {"default": {**entry, "CUSTOM_LLM_PROVIDER": KEY}},
        "version": {"default": {**entry, "API_VERSION": KEY}},
    }


@pytest.mark.parametrize("place", places({}))
def test_in_an_entry(place, entry, settings, learner, author, admin_user, make_scope, caplog):
    settings.AI_EXTENSIONS = places(entry)[place]
    make_scope()
    messages = said()
    assert any(number == "E001" and "must not be a key" in text for number, text in messages)
    shown = [str(messages)]
    client = Client()
    client.force_login(admin_user)
    for api in (Api(learner), Api(author)):
        shown += [str(api.run("Why?", headers={"Accept": "application/json"}).content), str(api.profiles().content)]
    shown += [client.get(reverse(f"admin:openedx_ai_extensions_{page}_changelist")).content.decode() for page in PAGES]
    shown += [str(list(AIWorkflowRun.objects.values())), caplog.text]
    assert not [text for text in shown if KEY in text]


def test_as_the_name_of_an_mcp_server(settings):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x"}}
    settings.AI_EXTENSIONS_MCP_CONFIGS = {KEY: {"URL": "http://127.0.0.1:9/"}}
    ((number, text),) = said()
    assert (number, KEY in text) == ("E001", False)


@pytest.mark.parametrize("key", [f"\u201c{KEY}\u201d", f"{KEY}\u2026", f"{KEY}\r\nX-A: b"])
def test_a_key_with_more_than_a_key(key, settings):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x", "API_KEY": key}}
    ((number, text),) = said()
    assert (number, KEY in text) == ("E001", False)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("APIKEY", "API_KEY"),
        ("api-key", "API_KEY"),
        ("api_ky", "API_KEY"),
        ("APIBASE", "API_BASE"),
        ("MODELL", "MODEL"),
    ],
)
def test_a_misspelt_parameter(written, meant, settings):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x", written: "https://llm.example.org/"}}
    ((number, text),) = said()
    assert number == "W007"
    assert text.endswith(f"Do you mean {meant}?")


@pytest.mark.parametrize(
    "name", ["top_k", "seed", "aws_region_name", "vertex_project", "thinking", "ssl_verify", "max_tokens"]
)
def test_other_parameters_are_no_misspellings(name, settings):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x", name: 1}}
    assert not said()


def test_a_key_in_the_name_of_a_model_is_not_logged():
    assert logged(f"openai/{KEY}") == "-"
    assert logged("ft:gpt-4.1-mini:org::abc") == "ft:gpt-4.1-mini:org::abc"


@pytest.mark.parametrize(
    "field",
    [{"fallbacks": [KEY]}, {"provider": KEY}, {"options": {KEY: 1}}],
    ids=["fallbacks", "provider", "options"],
)
def test_in_a_profile_it_is_not_logged(field, entry, settings, learner, make_scope, caplog):
    settings.AI_EXTENSIONS = {"default": entry}
    make_scope(patch={"processor_config": {"LLMProcessor": {"stream": False, **field}}})
    response = Api(learner).run("Why?")
    assert response.status_code in {200, 500}
    assert KEY not in caplog.text
    assert KEY not in str(response.content)
    assert KEY not in str(list(AIWorkflowRun.objects.values()))
