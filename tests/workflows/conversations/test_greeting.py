"""A chat begins with the template's greeting: at once, without a model, and without storing anything."""

from __future__ import annotations

import json

import pytest

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowRun
from tests.api.conftest import Api
from tests.workflows.conversations.conftest import CHAT, JSON, SSE, Chat

HELLO = "Hello! Ask me anything about this unit."
STARTERS = [
    "What are the main ideas of this unit?",
    "Explain the hardest part in simple words.",
    "Ask me a question to check what I know.",
]


def with_config(**config):
    return {"actuator_config": {"UIComponents": {"response": {"config": config}}}}


@pytest.fixture
def tutor(learner, provider, make_scope):
    """Make a chat whose response component has this configuration besides the template's."""

    def make(**config) -> Chat:
        make_scope(base_filepath=CHAT, slug="tutor", patch=with_config(**config), model_greets=False)
        return Chat(learner)

    return make


@pytest.mark.parametrize("headers", [JSON, SSE, {}], ids=["JSON", "events", "text"])
def test_the_greeting_costs_nothing(tutor, provider, headers):
    response = tutor().say(headers=headers)
    assert response["Content-Type"] == "application/json"
    assert (response.json()["response"], response.json()["status"]) == (HELLO, "completed")
    assert provider.requests == []
    assert not AIWorkflowRun.objects.exists()


def test_the_greeting_is_no_turn_of_the_conversation(tutor, provider):
    chat = tutor()
    assert chat.answer() == HELLO
    assert chat.do("get_current_session_response")["response"] is None
    provider.reply("Chlorophyll.")
    assert chat.answer("Why green?") == "Chlorophyll."
    assert HELLO not in json.dumps(provider.requests)
    assert chat.shown() == [("user", "Why green?"), ("assistant", "Chlorophyll.")]
    chat.do("clear_session")
    assert chat.answer() == HELLO


@pytest.mark.parametrize("greeting", ["model", None, ""])
def test_the_model_greets_otherwise(tutor, provider, greeting):
    provider.reply("Welcome to light.")
    chat = tutor(greeting=greeting)
    assert chat.answer() == "Welcome to light."
    assert chat.shown() == [("assistant", "Welcome to light.")]


@pytest.mark.parametrize(
    ("language", "greeting", "starter"),
    [
        ("en", HELLO, STARTERS[0]),
        ("es-419", "¡Hola! Pregúntame lo que quieras sobre esta unidad.", "¿Cuáles son las ideas principales de"),
        ("ar", "مرحبًا! اسألني عن أي شيء في هذه الوحدة.", "ما الأفكار الرئيسية لهذه الوحدة؟"),
    ],
)
def test_greeting_and_starters_are_translated(tutor, learner, language, greeting, starter):
    tutor()
    api = Api(learner, headers={"Accept-Language": language})
    config = api.profile().json()["ui_components"]["response"]["config"]
    assert config["greeting"] == greeting
    assert (len(config["starters"]), config["starters"][0].startswith(starter)) == (3, True)
    assert api.run(None, headers=JSON).json()["response"] == greeting


def test_an_author_writes_them_per_language(tutor, learner):
    tutor(greeting={"en": "Hi.", "es": "Hola."}, starters=[{"es": "¿Qué?", "en": "What?"}, "Summary", STARTERS[1]])
    api = Api(learner, headers={"Accept-Language": "es"})
    config = api.profile().json()["ui_components"]["response"]["config"]
    translated = "Explícame la parte más difícil con palabras sencillas."
    # "Summary" is the text of another template, so it is the author's here.
    assert (config["greeting"], config["starters"]) == ("Hola.", ["¿Qué?", "Summary", translated])
    assert api.run(None, headers=JSON).json()["response"] == "Hola."


@pytest.mark.parametrize(
    ("config", "path", "severity"),
    [
        pytest.param({"starters": ["1", "2", "3", "4"]}, "starters", "error", id="four"),
        pytest.param({"starters": "What?"}, "starters", "error", id="no list"),
        pytest.param({"starters": [None]}, "starters[0]", "error", id="null"),
        pytest.param({"starters": [{"en": "A", "sp": "B"}]}, "starters[0].sp", "warning", id="unknown language"),
        pytest.param({"greeting": 1}, "greeting", "error", id="no text"),
        pytest.param({"starter": ["What?"]}, "starter", "warning", id="misspelt"),
    ],
)
def test_problems_are_shown_to_authors(provider, config, path, severity):
    profile = AIWorkflowProfile(base_filepath=CHAT, content_patch=json.dumps(with_config(**config)))
    (problem,) = profile.problems()
    assert (problem.path, problem.severity) == (f"$.actuator_config.UIComponents.response.config.{path}", severity)
