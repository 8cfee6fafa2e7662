"""The demo without a browser: which model it picks, and what it seeds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from openedx_ai_extensions.demo.providers import choose
from openedx_ai_extensions.demo.seed import WORKFLOWS, seed
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
from tests.settings import REPO

URL = {"AI_EXTENSIONS_DEMO_MODEL_URL": "http://127.0.0.1:1/v1"}
OWN = {"AI_EXTENSIONS": json.dumps({"mine": {"MODEL": "openai/own"}})}


@pytest.mark.parametrize(
    ("environment", "model"),
    [
        pytest.param({**OWN, "OPENAI_API_KEY": "k", **URL}, "openai/own", id="a configuration comes first"),
        pytest.param({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", **URL}, "openai/gpt-4.1-mini", id="then OpenAI"),
        pytest.param({"ANTHROPIC_API_KEY": "k", **URL}, "anthropic/claude-3-5-haiku-latest", id="then Anthropic"),
        pytest.param(URL, "openai/smollm2-135m-instruct", id="then the model on this machine"),
        pytest.param({}, "openai/scripted", id="then a script"),
    ],
)
def test_which_model_answers(environment, model):
    choice = choose(environment)
    assert next(iter(choice.providers.values()))["MODEL"] == model
    assert choice.note
    assert choice.is_local is (environment == URL)
    assert choice.is_scripted is (environment == {})


@pytest.mark.parametrize(
    ("environment", "model"),
    [
        pytest.param(OWN, "openai/own", id="the one that is configured"),
        pytest.param({"OPENAI_API_KEY": "k"}, "openai/gpt-4.1-mini", id="a provider with a key"),
        pytest.param(URL, "openai/scripted", id="a script beside the small model"),
        pytest.param({}, "openai/scripted", id="a script where there is no model"),
        pytest.param(
            {"AI_EXTENSIONS": json.dumps({"a": {"MODEL": "openai/a"}, "structured": {"MODEL": "openai/b"}})},
            "openai/b", id="somebody's own of that name",
        ),
    ],
)  # fmt: skip
def test_who_writes_questions_and_cards(environment, model):
    choice = choose({**environment, "AI_EXTENSIONS_DEMO_SCRIPT_URL": "http://127.0.0.1:1/v1"})
    assert choice.providers["structured"]["MODEL"] == model


@pytest.mark.parametrize("text", ["{", "[]", "7", "{}"])
def test_a_wrong_configuration_is_said(text):
    with pytest.raises(ValueError, match="AI_EXTENSIONS must be"):
        choose({"AI_EXTENSIONS": text})


@pytest.mark.parametrize("small_model", [True, False])
def test_seeding_again_changes_nothing(db, small_model):
    seed(small_model=small_model)
    AIWorkflowProfile.objects.filter(slug="ask").update(description="mine")
    seed(small_model=small_model)
    assert AIWorkflowProfile.objects.count() == AIWorkflowScope.objects.count() == len(WORKFLOWS)
    assert AIWorkflowProfile.objects.get(slug="ask").description == "mine"


@pytest.mark.parametrize("small_model", [True, False])
def test_only_a_model_that_can_call_tools_is_offered_them(db, small_model):
    seed(small_model=small_model)
    chat = AIWorkflowProfile.objects.get(slug="chat")
    assert bool(chat.processor_config["LLMProcessor"]["enabled_tools"]) is not small_model


@pytest.mark.parametrize("address", ["http://127.0.0.1:8001", None])
def test_links_lead_to_where_the_demo_listens(tmp_path, address):
    environment = {**os.environ, "AI_EXTENSIONS_DEMO_DIR": str(tmp_path), "AI_EXTENSIONS_DEMO_URL": address or ""}
    code = "from openedx_ai_extensions.demo import settings; print(settings.LEARNING_MICROFRONTEND_URL or None)"
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == str(address)


def test_the_local_model_has_data_of_its_own(tmp_path):
    """Its short prompts must not stay for the other models."""
    known = {name: value for name, value in os.environ.items() if not re.search("API_KEY|^AI_EXTENSIONS", name)}
    environment = {**known, "PYTHONPATH": str(REPO), "AI_EXTENSIONS_DEMO_MODEL_URL": "http://127.0.0.1:1"}
    code = "from openedx_ai_extensions.demo import settings; print(settings.DATA_DIR)"
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(result.stdout.strip()) == tmp_path / ".demo" / "local-model"
