"""JSON Schema 1.0 of templates, and messages for violations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from django.conf.locale import LANG_INFO
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.utils.translation.trans_real import get_languages
from jsonschema import Draft202012Validator, ValidationError

from openedx_ai_extensions.core.hooks import Problem, Severity, config_validator
from openedx_ai_extensions.core.json5 import json_path

SCHEMA_VERSION = "1.0"
SIMILAR = 0.8  # from 0 to 1: how alike an unknown key and a known one are if the first is a misspelling
_LANGUAGE_CODE = "^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$"
_ANSWER_LANGUAGE = f"^(learner|course)$|{_LANGUAGE_CODE}"

# A text for people: one for all of them, or an object with one for each language.
_TEXT = {
    "type": ["string", "object", "null"],
    "minProperties": 1,
    "propertyNames": {"pattern": _LANGUAGE_CODE},
    "additionalProperties": {"type": "string"},
}

MODEL_GREETING = "model"  # in place of a chat's greeting: the model writes it
MAX_STARTERS = 3
_STARTERS = {"type": ["array", "null"], "maxItems": MAX_STARTERS, "items": {**_TEXT, "type": ["string", "object"]}}


_SWITCH = {"type": ["boolean", "null"]}


def _ui_component(*texts: str, **others: Mapping[str, Any]) -> dict[str, Any]:
    config = {"type": "object", "properties": {**dict.fromkeys(texts, _TEXT), **others}}
    return {
        "type": "object",
        "required": ["component"],
        "properties": {"component": {"type": "string", "minLength": 1}, "config": config},
    }


_UI_COMPONENTS = {
    "request": _ui_component("buttonText", "customMessage", "titleText", "placeholder"),
    "response": _ui_component(
        "customMessage",
        "titleText",
        "hyperlinkText",
        "greeting",
        "selectionText",
        starters=_STARTERS,
        keepAnswer=_SWITCH,
        feedback=_SWITCH,
        trackFeedback=_SWITCH,
    ),
}

_NAMES = {"type": ["array", "null"], "items": {"type": "string"}}

# Of every processor that asks a model.
_ASKING = {
    "type": "object",
    "properties": {
        "function": {"type": "string"},
        "provider": {"type": "string"},
        "prompt": {"type": ["string", "null"]},
        "prompt_template": {"type": ["string", "null"]},
        "stream": {"type": "boolean"},
        "options": {"type": ["object", "null"]},
        "enabled_tools": _NAMES,
        "mcp_configs": _NAMES,
        "cache": {"type": "boolean"},
        "fallbacks": _NAMES,
        "language": {"type": ["string", "null"], "pattern": _ANSWER_LANGUAGE},
        "follow_ups": {"type": ["boolean", "null"]},
        "citations": {"enum": [True, False, None, "list"]},
        "moderation": {"type": ["object", "null"], "properties": {"before": _NAMES, "after": _NAMES}},
    },
}

WORKFLOW_SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "AI workflow template 1.0",
    "type": "object",
    "required": ["schema_version", "orchestrator_class", "processor_config", "actuator_config"],
    "properties": {
        "schema_version": {"const": SCHEMA_VERSION},
        "orchestrator_class": {"type": "string", "minLength": 1},
        "processor_config": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "object"},
            "properties": {
                "OpenEdXProcessor": {
                    "type": "object",
                    "properties": {
                        "function": {"type": "string"},
                        "retrieval_mode": {"enum": ["unit", "sequence", "up_to_current_unit"]},
                        "char_limit": {"type": ["integer", "null"], "minimum": 1},
                        "fields": {"type": ["array", "null"], "items": {"type": "string"}},
                    },
                },
                "LLMProcessor": _ASKING,
                "EducatorAssistantProcessor": _ASKING,
                "SubmissionProcessor": {
                    "type": "object",
                    "properties": {"max_context_messages": {"type": "integer", "minimum": 1}},
                },
            },
        },
        "actuator_config": {
            "type": "object",
            "required": ["UIComponents"],
            "properties": {
                "UIComponents": {
                    "type": "object",
                    "minProperties": 1,
                    "properties": _UI_COMPONENTS,
                }
            },
        },
    },
}

_VALIDATOR = Draft202012Validator(WORKFLOW_SCHEMA)
HALVES = tuple(_UI_COMPONENTS)  # of a widget
# The names of texts, and of lists of texts, of our components. Extensions may have others.
TEXTS = frozenset(
    name
    for half in _UI_COMPONENTS.values()
    for name, value in half["properties"]["config"]["properties"].items()
    if value is _TEXT or value is _STARTERS
)


def schema_problems(config: Any) -> list[Problem]:
    """The violations of schema 1.0 in a configuration, ordered by path."""
    return [problem for error in _errors(config) for problem in _in_words(error)]


@config_validator
def component_problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """A widget's missing half, if it has only a request or only a response; and texts in unknown languages."""
    components = config.get("actuator_config", {}).get("UIComponents", {})
    missing = [half for half in HALVES if half not in components]
    if len(missing) == 1:
        message = _("This is missing. Widgets need both: request and response. They show an error in its place.")
        yield Problem(f"$.actuator_config.UIComponents.{missing[0]}", message, Severity.WARNING)
    for half in set(HALVES) & components.keys():
        for name, text in components[half].get("config", {}).items():
            path = f"$.actuator_config.UIComponents.{half}.config.{name}"
            if name in TEXTS and isinstance(text, list):
                for number, item in enumerate(text):
                    yield from _text_problems(json_path(path, number), item)
            elif name in TEXTS:
                yield from _text_problems(path, text)


def _text_problems(path: str, text: Any) -> Iterator[Problem]:
    for code in text if isinstance(text, Mapping) else ():
        yield from language_problems(json_path(path, code), code)


@config_validator
def misspelling_problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """A warning for each unknown key that is nearly a known one. Other unknown keys are for extensions."""
    yield from _misspellings("$", config, WORKFLOW_SCHEMA)


def _misspellings(path: str, values: Any, schema: Mapping[str, Any]) -> Iterator[Problem]:
    known = schema.get("properties", {})
    if not isinstance(values, Mapping):
        return
    for name, value in values.items():
        if name in known:
            yield from _misspellings(json_path(path, name), value, known[name])
        # Sections of any name are extensions' processors and components.
        elif not schema.get("minProperties") and (meant := _similar(name, known)):
            message = _("The key “{name}” is unknown. Do you mean “{meant}”?")
            yield Problem(json_path(path, name), message.format(name=name, meant=meant), Severity.WARNING)


def _similar(name: str, known: Iterable[str]) -> str | None:
    plain = {each.lower().replace("_", ""): each for each in known}
    found = get_close_matches(name.lower().replace("_", ""), plain, n=1, cutoff=SIMILAR)
    return plain[found[0]] if found else None


def language_problems(path: str, code: str) -> Iterator[Problem]:
    """A warning if this is not the code of a language."""
    if not is_known_language(code):
        message = _("There is no language with the code “{code}” in Django or in the site's LANGUAGES.")
        yield Problem(path, message.format(code=code), Severity.WARNING)


def is_known_language(code: str) -> bool:
    """Is this the code of a language, of any country, that Django knows or that people can choose on this site?"""
    language = re.split("[-_]", code.lower())[0]
    return any(known.split("-")[0] == language for known in (*LANG_INFO, *get_languages()))


def _errors(config: Any) -> list[ValidationError]:
    return sorted(_VALIDATOR.iter_errors(config), key=lambda error: (error.json_path, str(error.validator)))


def template_problems(template: Any) -> list[Problem]:
    """The violations of schema 1.0 in a template.

    Missing and empty parts are only warnings, because profiles may add them.
    """
    found: list[Problem] = []
    for error in _errors(template):
        may_be_added = error.instance is None or error.validator in {"required", "minLength", "minProperties"}
        severity = Severity.WARNING if may_be_added else Severity.ERROR
        found += (replace(problem, severity=severity) for problem in _in_words(error))
    has_components = not any(problem.path == "$" or problem.path.startswith("$.actuator_config") for problem in found)
    return [*found, *misspelling_problems(template), *(component_problems(template) if has_components else ())]


def _in_words(error: ValidationError) -> Iterator[Problem]:
    allowed = error.validator_value
    if error.validator == "required":
        missing = [name for name in allowed if name not in error.instance]
        # jsonschema reports each missing name separately; its message starts with the name.
        name = next(name for name in missing if error.message.startswith(repr(name)))
        yield Problem(f"{error.json_path}.{name}", _("This is required."))
    elif error.validator == "type":
        names = allowed if isinstance(allowed, list) else [allowed]
        words = " / ".join(str(_TYPE_NAMES[name]) for name in names)
        yield Problem(error.json_path, _("This must be {types}.").format(types=words))
    elif error.validator in {"enum", "const"}:
        choices = ", ".join(json.dumps(choice) for choice in (allowed if isinstance(allowed, list) else [allowed]))
        yield Problem(error.json_path, _("This must be one of: {choices}.").format(choices=choices))
    elif error.validator == "pattern" and allowed == _LANGUAGE_CODE:
        message = _("“{name}” is not the code of a language, such as en or es-419.")
        yield Problem(json_path(error.json_path, error.instance), message.format(name=error.instance))
    elif error.validator == "pattern" and allowed == _ANSWER_LANGUAGE:
        yield Problem(error.json_path, _("This must be learner, course, or the code of a language, such as es."))
    elif error.validator in {"minLength", "minProperties"}:
        yield Problem(error.json_path, _("This must not be empty."))
    elif error.validator == "minimum":
        yield Problem(error.json_path, _("This must be {minimum} or more.").format(minimum=allowed))
    else:
        yield Problem(error.json_path, error.message)


_TYPE_NAMES = {
    "object": gettext_lazy("an object"),
    "array": gettext_lazy("a list"),
    "string": gettext_lazy("a text"),
    "integer": gettext_lazy("a whole number"),
    "boolean": gettext_lazy("true or false"),
    "null": gettext_lazy("null"),
}
