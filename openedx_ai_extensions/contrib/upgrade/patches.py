"""Old patches as ours. What worked stays, in the words in which it was written wherever these can be kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import json5

from openedx_ai_extensions.core.json5 import json_path, parts
from openedx_ai_extensions.core.redaction import may_hold_credential, names_credential
from openedx_ai_extensions.processors.llm.model_options import RESERVED_OPTION
from openedx_ai_extensions.workflows import template_utils

ASKING = ("LLMProcessor", "EducatorAssistantProcessor")


def patch(value: Any, place: str) -> tuple[str, list[str]]:
    """A patch as text, and what is not as it was.

    One that nobody could read counted as none, and goes on to. If it may hold a credential it is left as it is, to be
    refused.

    Args:
        place: where the old one is, for the operator.
    """
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    meant = _read(text)
    if isinstance(meant, str):  # a column of JSON that holds the text
        text = meant
        meant = _read(text)
    if meant is None and text.strip() in {"", "null"}:
        return "", []
    problem = template_utils.patch_problem(text)
    if not isinstance(meant, dict):
        if problem is None or may_hold_credential(text):
            return text, []
        said = "its patch could not be read, so that its template ran alone, as it does now"
        return "", [f"{said}: {problem.removesuffix('.')}. The text stays in {place}, until --drop-old"]
    notes = []
    if problem is not None:
        text = _written(meant)
        notes.append(f"its patch is written anew, without comments, as it held what cannot be kept: {problem}")
    dropped = _drop_options(meant)
    if dropped:
        text = _written(meant)
        notes.append(f"its options {', '.join(dropped)} are gone: they go into an entry of AI_EXTENSIONS")
    return text, notes


def without_words_of(template: Mapping[str, Any], content_patch: str) -> str:
    """The patch, with what people would read of this template taken away: the one that it was written for had none."""
    meant = template_utils.lenient_patch(content_patch)
    for half, component in template["actuator_config"]["UIComponents"].items():
        config: Any = meant
        for name in ("actuator_config", "UIComponents", half, "config"):
            config = config.setdefault(name, {}) if isinstance(config, dict) else None
        for name in component["config"] if isinstance(config, dict) else ():
            config.setdefault(name, None)
    return _written(meant)


def with_prompts(template: str, content_patch: str, names: Mapping[str, str]) -> tuple[str, list[str]]:
    """The patch, naming prompts as they are called now, and what is not as it was.

    Args:
        template: the path of the one that is patched; it may name prompts, too.
        names: of prompts that are not found by what profiles call them.
    """
    if template_utils.patch_problem(content_patch) is not None:
        return content_patch, []
    config = template_utils.effective_config(template, content_patch) or {}
    processors = config.get("processor_config")
    notes = []
    for processor, section in processors.items() if isinstance(processors, dict) else ():
        reference = section.get("prompt_template") if isinstance(section, dict) else None
        name = names.get(str(reference)) if isinstance(reference, str | int) else None
        if name is not None:
            content_patch = _naming(content_patch, processor, name)
            notes.append(f"the prompt that it names is called {name} now")
    return content_patch, notes


def _naming(content_patch: str, processor: str, name: str) -> str:
    """The patch with this name of a prompt, as it was written wherever it named one."""
    path = f"{json_path('$.processor_config', processor)}.prompt_template"
    for part in parts(content_patch):
        if part.path == path and not part.is_name:
            end = part.offset + len(part.source)
            return f"{content_patch[: part.offset]}{json.dumps(name)}{content_patch[end:]}"
    meant: Any = template_utils.lenient_patch(content_patch)
    meant.setdefault("processor_config", {}).setdefault(processor, {})["prompt_template"] = name
    return _written(meant)


def _read(text: str) -> Any:
    """What JSON5 means by it, whatever else there is against it; None when it is none."""
    try:
        return json5.loads(text)
    except (ValueError, RecursionError):
        return None


def _written(meant: Mapping[str, Any]) -> str:
    return json.dumps(meant, indent=2, ensure_ascii=False)


def _drop_options(config: dict[str, Any]) -> list[str]:
    """Take out what no profile may say, but for credentials, which must not go without a word: names of what is out."""
    dropped = []
    processors: Any = config.get("processor_config")
    for name in ASKING if isinstance(processors, dict) else ():
        section = processors.get(name)
        options: Any = section.get("options") if isinstance(section, dict) else None
        for option in list(options) if isinstance(options, dict) else ():
            if RESERVED_OPTION.fullmatch(option) and not names_credential(option, options[option]):
                dropped.append(option)
                del options[option]
    return dropped
