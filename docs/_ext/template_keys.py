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
    _OPENEDX: "Which course content the model reads.",
    f"{_OPENEDX}.function": "What to read: see *Functions* below. Default: ``get_location_content`` at a place in a "
    "course, ``get_course_info`` elsewhere in a course, ``no_context`` outside of courses.",
    f"{_OPENEDX}.retrieval_mode": "How much content: the unit, the whole sequence, or everything "
    "in the course up to this unit. Default: ``unit``.",
    f"{_OPENEDX}.char_limit": "Maximum characters of course text. The content furthest from the learner is omitted "
    "first, with a notice in the text. ``null``: no limit.",
    f"{_OPENEDX}.fields": "For ``get_course_info``, the facts to include: ``title``, ``short_description``, "
    "``description``, ``overview``, ``syllabus``, ``language``, ``start``, ``end``. For ``get_location_content``, the "
    "kinds of blocks to read, such as ``html`` and ``video``. ``null``: all.",
    _LLM: "The model call.",
    f"{_LLM}.function": "The built-in prompt: see *Functions* below. Default: ``call_with_custom_prompt``.",
    f"{_LLM}.provider": "A name in :confval:`AI_EXTENSIONS`. Default: ``default``.",
    f"{_LLM}.prompt": "A prompt of your own, instead of the built-in prompt.",
    f"{_LLM}.prompt_template": "Slug or UUID of a prompt template in the admin; it is read at each request.",
    f"{_LLM}.stream": "Show the answer while it is generated. Default: ``true``.",
    f"{_LLM}.options": "Parameters for the model, such as ``temperature`` and ``max_tokens``.",
    f"{_LLM}.enabled_tools": "Names of the tools that the model may call: see *Tools* below. Default: none.",
    f"{_LLM}.mcp_configs": "Names in :confval:`AI_EXTENSIONS_MCP_CONFIGS`: the MCP servers whose tools the model may "
    "call, beside the enabled ones. Default: none.",
    f"{_LLM}.cache": "Answer identical requests from the site's response cache: see "
    ":ref:`response_cache`. Default: ``false``.",
    f"{_LLM}.fallbacks": "Names in :confval:`AI_EXTENSIONS`, to be called in this order if the provider fails: see "
    ":doc:`/operators/providers`. Default: the ``FALLBACKS`` of the provider's entry. An empty list: none.",
    f"{_LLM}.language": "The language of answers: ``learner``, ``course``, or the code of a language, such as ``es``: "
    "see :ref:`answer_language`. Default: ``learner``, except for quiz questions.",
    f"{_LLM}.follow_ups": "The model suggests up to three questions to ask next, in the same call. The chat shows them "
    "as buttons. Default: ``false``. Only for ``ThreadedLLMResponse``.",
    f"{_LLM}.citations": "``true``: answers link to the passages of the course that they are based on: see "
    ':ref:`citations_in_widgets`. ``"list"``: as a list at the end of the text, for widgets that show no links. '
    "Default: ``false``. Only for ``DirectLLMResponse`` and ``ThreadedLLMResponse``.",
    f"{_LLM}.moderation": "The moderators of messages and answers: see :doc:`/operators/moderation`. Default: the "
    "site's moderators.",
    f"{_LLM}.moderation.before": "Moderators of :confval:`AI_EXTENSIONS_MODERATION`, by name, for people's messages. "
    "Replaces the site's list. An empty list: no moderation.",
    f"{_LLM}.moderation.after": "The same, for the model's answers.",
    "processor_config.EducatorAssistantProcessor": "For quiz questions, instead of ``LLMProcessor`` and with the same "
    "keys. Tools and ``stream`` are not used. Default of ``function``: ``generate_quiz_questions``.",
    "processor_config.SubmissionProcessor": "The storage of conversations. One-shot workflows do not use it.",
    "processor_config.SubmissionProcessor.max_context_messages": "Number of the last messages that are sent to the "
    "model, and to a widget in one response. Default: :confval:`AI_EXTENSIONS_MAX_CONTEXT_MESSAGES`.",
    "actuator_config": "The user interface. This version has one kind: the widget on the page.",
    _UI: "The widget's components by name. Widgets receive only this part of a profile.",
    f"{_UI}.request": "The component that starts the workflow: a button or an input field.",
    f"{_UI}.request.component": "The name of the frontend component.",
    f"{_UI}.request.config": "Parameters of the component. Texts can be given per language: see :ref:`text_languages`.",
    f"{_UI}.request.config.buttonText": "The text of the button.",
    f"{_UI}.request.config.customMessage": "A text beside the button, or above the form.",
    f"{_UI}.request.config.titleText": "The title of a form, for ``LibraryProblemCreator``.",
    f"{_UI}.request.config.placeholder": "Adds a text field with this placeholder to ``AIRequestComponent``. Only this "
    "package's widget reads it.",
    f"{_UI}.response": "The component that shows the answer.",
    f"{_UI}.response.component": "The name of the frontend component.",
    f"{_UI}.response.config": "Parameters of the component.",
    f"{_UI}.response.config.customMessage": "A text above the answer, or the title of a conversation.",
    f"{_UI}.response.config.selectionText": "A question about text that the learner selects on the page, such as "
    '"Explain this". The chat offers it beside the selection. Default: no offer.',
    f"{_UI}.response.config.keepAnswer": "Keep each person's last answer of ``DirectLLMResponse`` at each location, to "
    "show it again: see :ref:`kept_answers`. Default: ``false``.",
    f"{_UI}.response.config.feedback": "Let people rate and report answers: see :ref:`rest_feedback`. Default: "
    "``false``; the built-in one-shot workflows and chats set ``true``.",
    f"{_UI}.response.config.trackFeedback": "Send an event for each rating and report: see :doc:`xapi`. Default: "
    "``false``.",
    f"{_UI}.response.config.titleText": "The title of the message about saved questions.",
    f"{_UI}.response.config.hyperlinkText": "The text of the link to the saved questions.",
    f"{_UI}.response.config.greeting": 'The text with which a conversation begins. ``"model"``: the model writes it.',
    f"{_UI}.response.config.starters": "Up to three texts, as buttons: questions to begin a conversation with.",
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
