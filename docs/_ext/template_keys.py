"""What each key of a workflow template means. The build compares these keys with the schema's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.core.schema import WORKFLOW_SCHEMA

_OPENEDX = "processor_config.OpenEdXProcessor"
_LLM = "processor_config.LLMProcessor"
_UI = "actuator_config.UIComponents"

# Sections whose meaning says that their keys are another's.
SAME_KEYS = frozenset({"processor_config.EducatorAssistantProcessor"})

MEANINGS: Mapping[str, str] = {
    "schema_version": "The version of this format.",
    "orchestrator_class": "How the workflow runs: the short name of a built-in orchestrator, or the dotted path of a "
    "class of your own.",
    "processor_config": "The steps, by processor name. At least one. A processor that is not named is not used.",
    _OPENEDX: "What the model reads of the course.",
    f"{_OPENEDX}.function": "What to read: see *Functions* below. Left out: ``get_location_content`` at a place in a "
    "course, ``get_course_info`` elsewhere in a course, ``no_context`` outside of courses.",
    f"{_OPENEDX}.retrieval_mode": "How much around the learner's place: the unit, the whole sequence, or everything "
    "in the course up to this unit. Left out: ``unit``.",
    f"{_OPENEDX}.char_limit": "The most characters of course text. What is furthest from the learner is left out "
    "first, and the text says so. ``null``: no limit.",
    f"{_OPENEDX}.fields": "For ``get_course_info``, the facts to tell: ``title``, ``short_description``, "
    "``description``, ``overview``, ``syllabus``, ``language``, ``start``, ``end``. For ``get_location_content``, the "
    "kinds of blocks to read, such as ``html`` and ``video``. ``null``: all.",
    _LLM: "What is asked of which model.",
    f"{_LLM}.function": "Which built-in prompt: see *Functions* below. Left out: ``call_with_custom_prompt``.",
    f"{_LLM}.provider": "A name in :confval:`AI_EXTENSIONS`. Left out: ``default``.",
    f"{_LLM}.prompt": "Your own words in place of the built-in prompt.",
    f"{_LLM}.prompt_template": "Slug or UUID of a prompt template in the admin; it is read at each request.",
    f"{_LLM}.stream": "Show the answer as it is written. Left out: ``true``.",
    f"{_LLM}.options": "Parameters for the model, such as ``temperature`` and ``max_tokens``.",
    f"{_LLM}.enabled_tools": "Names of the tools that the model may call: see *Tools* below. Left out: none.",
    f"{_LLM}.mcp_configs": "Names in :confval:`AI_EXTENSIONS_MCP_CONFIGS`: the MCP servers whose tools the model may "
    "call, beside the enabled ones. Left out: none.",
    f"{_LLM}.cache": "Give whoever asks the same the same answer, where the site keeps answers: see "
    ":ref:`response_cache`. Left out: ``false``.",
    f"{_LLM}.fallbacks": "Names in :confval:`AI_EXTENSIONS`, to be asked in this order when the provider fails: see "
    ":doc:`/operators/providers`. Left out: the ``FALLBACKS`` of the provider's entry. An empty list: none.",
    f"{_LLM}.moderation": "Who looks at what is said: see :doc:`/operators/moderation`. Left out: the moderators that "
    "the site has for everything.",
    f"{_LLM}.moderation.before": "Moderators of :confval:`AI_EXTENSIONS_MODERATION`, by name, of what a person writes. "
    "Takes the place of the site's list; an empty one: nobody.",
    f"{_LLM}.moderation.after": "The same, of what the model answers.",
    "processor_config.EducatorAssistantProcessor": "For quiz questions, in place of ``LLMProcessor`` and with the same "
    "keys. Tools and ``stream`` are not used. ``function`` left out: ``generate_quiz_questions``.",
    "processor_config.SubmissionProcessor": "How a conversation is remembered. One-shot workflows do not read it.",
    "processor_config.SubmissionProcessor.max_context_messages": "How many of the last messages go to the model, and "
    "to a widget at a time. Left out: :confval:`AI_EXTENSIONS_MAX_CONTEXT_MESSAGES`.",
    "actuator_config": "What acts on the answer. This version has one kind: the widget on the page.",
    _UI: "The widget's parts by name. Widgets read this and nothing else of a profile.",
    f"{_UI}.request": "What the learner presses or writes in.",
    f"{_UI}.request.component": "The name of the frontend component.",
    f"{_UI}.request.config": "What the component is told, such as ``buttonText``.",
    f"{_UI}.response": "What shows the answer.",
    f"{_UI}.response.component": "The name of the frontend component.",
    f"{_UI}.response.config": "What the component is told.",
}


def template_keys_text() -> str:
    """Every key of the template's schema, as reStructuredText.

    Raises:
        ValueError: one has no meaning written for it, or a meaning has lost its key.
    """
    keys = dict(_keys("", WORKFLOW_SCHEMA))
    if keys.keys() != MEANINGS.keys():
        raise ValueError(f"template_keys.py and the schema differ in: {sorted(keys.keys() ^ MEANINGS.keys())}")
    return "\n".join(f"``{path}`` : {value}\n   {MEANINGS[path]}\n" for path, value in keys.items())


def _keys(parent: str, schema: Any) -> Iterator[tuple[str, str]]:
    required = schema.get("required", ())
    for name, child in schema.get("properties", {}).items():
        path = f"{parent}.{name}".lstrip(".")
        yield path, _value(child) + (", required" if name in required else "")
        if path not in SAME_KEYS:
            yield from _keys(path, child)


def _value(schema: Any) -> str:
    if "const" in schema:
        return f'always ``"{schema["const"]}"``'
    if "enum" in schema:
        return " or ".join(f"``{choice}``" for choice in schema["enum"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(types)
