"""Converts old prompts, profiles and scopes, so that they pass our validation and do what they did before."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import json5
from django.core.validators import slug_re
from django.utils.text import slugify
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.contrib.upgrade.old_tables import Row, as_text, as_uuid, aside_name
from openedx_ai_extensions.core.json5 import json_path, parts
from openedx_ai_extensions.core.provider_parameters import RESERVED_OPTION
from openedx_ai_extensions.core.redaction import may_hold_credential, names_credential
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.workflows import template_utils

# Templates by words at the beginning of the old file's name or after an underscore; the first that fits counts.
TEMPLATES: Mapping[tuple[str, ...], str] = {
    ("mock", "stream"): "examples/mock_stream.json5",
    ("mock",): "examples/mock.json5",
    ("library", "question"): "base/quiz.json5",
    ("quiz",): "base/quiz.json5",
    ("educator",): "base/quiz.json5",
    ("flashcard",): "base/flashcards.json5",
    ("chat",): "base/chat.json5",
    ("greet",): "base/greeting.json5",
    ("eli5",): "base/explain_like_five.json5",
    ("explain",): "base/explain_like_five.json5",
    ("summar",): "base/summary.json5",
    ("ask",): "base/ask.json5",
    ("answer",): "base/ask.json5",
    ("custom",): "base/custom_prompt.json5",
}
# A template without an orchestrator, which each profile adds.
BLANK = "blank"
BLANK_REPLACEMENT = "base/summary.json5"
PROCESSORS_WITH_OPTIONS = ("LLMProcessor", "EducatorAssistantProcessor")
MAX_SLUG_CHARS = 100
MAX_SLUG_PREFIX_CHARS = 60  # before the old key, which may be a UUID

CHANGE = "change {name} in the old row"
DISCARD = "nothing; --drop-old --discard-left deletes it"
OUTSIDE = "it still answers outside of courses, for every account: untick this in the scope if no widget there needs it"


# An instance of our model, not saved; and notes for the operator about what is different from before.
NewRow = tuple[Any, list[str]]


class NotTakenOver(Exception):
    """Why a row cannot be taken over. The text has nothing that a person wrote.

    Attributes:
        to_do: the one thing that would change this.
    """

    def __init__(self, reason: str, to_do: str) -> None:
        self.to_do = to_do
        super().__init__(reason)

    @classmethod
    def without(cls, kind: str) -> NotTakenOver:
        """The row that this row refers to was not taken over."""
        return cls(f"its {kind} was not taken over", f"see the line about that {kind}")


def prompt(row: Row) -> NewRow:
    """A prompt with the same slug and UUID, by which profiles refer to it; the UUID may be the old key."""
    identifier = as_uuid(row.get("uuid")) or as_uuid(row.get("id"))
    slug, notes = _slug(row, "prompt")
    instance = PromptTemplate(slug=slug, body=str(row.get("body") or ""), uuid=identifier or uuid.uuid4())
    return instance, notes


def _slug(row: Row, kind: str) -> tuple[str, list[str]]:
    """The old slug, or a similar one if it is not valid; and notes."""
    old = str(row.get("slug") or "")
    if slug_re.fullmatch(old) and len(old) <= MAX_SLUG_CHARS:
        return old, []
    new = f"{slugify(old)[:MAX_SLUG_PREFIX_CHARS] or kind}-{as_text(row.get('id'))}"
    return new, [f"its new name is {new}"]


def profile(row: Row, templates: Mapping[str, str], prompts: Mapping[str, str]) -> NewRow:
    """A profile, based on one of our templates.

    Args:
        templates: the operator's choices, by old path.
        prompts: new names of prompts, by the names and numbers that no longer find them.

    Raises:
        NotTakenOver: neither the profile nor its template has an orchestrator.
    """
    path = str(row.get("base_filepath") or "")
    new_path = _template(path, templates)
    slug, notes = _slug(row, "profile")
    location = f"the row {as_text(row.get('id'))} of {aside_name(AIWorkflowProfile._meta.db_table)}"
    content_patch, changes = _patch(row.get("content_patch"), location)
    if new_path != path:
        if new_path == BLANK_REPLACEMENT and _has(path, BLANK) and path not in templates:
            if "orchestrator_class" not in template_utils.lenient_patch(content_patch):
                to_do = CHANGE.format(name="content_patch")
                raise NotTakenOver("neither the profile nor its template has an orchestrator", to_do)
            content_patch = _without_texts(template_utils.load_template(new_path) or {}, content_patch)
        notes.append(f"its template {path} is now {new_path}")
    content_patch, renamed = _with_prompts(new_path, content_patch, prompts)
    instance = AIWorkflowProfile(
        slug=slug,
        description=str(row.get("description") or ""),
        base_filepath=new_path,
        content_patch=content_patch,
    )
    return instance, [*notes, *changes, *renamed]


def _template(path: str, chosen: Mapping[str, str]) -> str:
    """The template that replaces an old path; the path itself if none is known."""
    if path in chosen:
        return chosen[path]
    old = PurePosixPath(path)
    candidates = [path, *(str(old.with_suffix(suffix)) for suffix in template_utils.SUFFIXES if old.name)]
    found = next((each for each in candidates if template_utils.template_version(each) is not None), None)
    if found is not None:
        return found
    if _has(path, BLANK):
        return BLANK_REPLACEMENT
    return next((ours for words, ours in TEMPLATES.items() if all(_has(path, word) for word in words)), path)


def _has(path: str, start: str) -> bool:
    words = PurePosixPath(path).stem.lower().replace("-", "_").split("_")
    return any(word.startswith(start) for word in words)


def scope(row: Row, profiles: Mapping[str, Any]) -> NewRow:
    """A scope.

    Args:
        profiles: new ids of profiles, by their old keys.

    Raises:
        NotTakenOver: its profile was not taken over, or its course id is not valid.
    """
    parent = profiles.get(as_text(row.get("profile_id")))
    if parent is None:
        raise NotTakenOver.without("profile")
    course = str(row.get("course_id") or "")
    try:
        course_id: Any = CourseKey.from_string(course) if course else CourseKeyField.Empty
    except InvalidKeyError:
        raise NotTakenOver(f"course_id: {course} is not a course id", CHANGE.format(name="course_id")) from None
    pattern = row.get("location_regex") or None
    # It answered outside of courses, too; nothing tells whether a widget there needs it.
    is_outside = not course and not str(pattern or "").strip()
    instance = AIWorkflowScope(
        profile_id=parent,
        course_id=course_id,
        location_regex=pattern,
        service_variant=str(row.get("service_variant") or "lms").lower(),
        ui_slot_selector_id=str(row.get("ui_slot_selector_id") or ""),
        outside_courses=is_outside,
        enabled=bool(row.get("enabled", True)),
    )
    return instance, [OUTSIDE] if is_outside else []


def _patch(value: Any, location: str) -> tuple[str, list[str]]:
    """A patch as text that our validation accepts, without other changes; and notes.

    The old implementation ignored a patch that it could not read, so it is dropped; but one that may have a credential
    is kept, and our validation rejects it.

    Args:
        location: of the old patch, for the operator.
    """
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    parsed = _parsed(text)
    if isinstance(parsed, str):  # a JSON column with the text
        text = parsed
        parsed = _parsed(text)
    if parsed is None and text.strip() in {"", "null"}:
        return "", []
    problem = template_utils.patch_problem(text)
    if not isinstance(parsed, dict):
        if problem is None or may_hold_credential(text):
            return text, []
        note = "its patch is not valid and was ignored before, so it is empty now"
        return "", [f"{note}: {problem.removesuffix('.')}. The old text is in {location}, until --drop-old"]
    notes = []
    if problem is not None:
        text = _as_text(parsed)
        notes.append(f"its patch was rewritten without comments, to correct this: {problem}")
    dropped = _drop_options(parsed)
    if dropped:
        text = _as_text(parsed)
        notes.append(f"its options {', '.join(dropped)} were removed: they belong in an entry of AI_EXTENSIONS")
    return text, notes


def _parsed(text: str) -> Any:
    try:
        return json5.loads(text)
    except (ValueError, RecursionError):
        return None


def _as_text(parsed: Mapping[str, Any]) -> str:
    return json.dumps(parsed, indent=2, ensure_ascii=False)


def _drop_options(config: dict[str, Any]) -> list[str]:
    """Remove options that profiles may not set, and return their names. Credentials stay, so that they are reported."""
    dropped = []
    processors: Any = config.get("processor_config")
    for name in PROCESSORS_WITH_OPTIONS if isinstance(processors, dict) else ():
        section = processors.get(name)
        options: Any = section.get("options") if isinstance(section, dict) else None
        for option in list(options) if isinstance(options, dict) else ():
            if RESERVED_OPTION.fullmatch(option) and not names_credential(option, options[option]):
                dropped.append(option)
                del options[option]
    return dropped


def _without_texts(template: Mapping[str, Any], content_patch: str) -> str:
    """The patch, with the template's texts for people removed: the old template had none."""
    parsed = template_utils.lenient_patch(content_patch)
    for half, component in template["actuator_config"]["UIComponents"].items():
        config: Any = parsed
        for name in ("actuator_config", "UIComponents", half, "config"):
            config = config.setdefault(name, {}) if isinstance(config, dict) else None
        for name in component["config"] if isinstance(config, dict) else ():
            config.setdefault(name, None)
    return _as_text(parsed)


def _with_prompts(template: str, content_patch: str, names: Mapping[str, str]) -> tuple[str, list[str]]:
    """The patch with the new names of the prompts that the patch or the template names; and notes."""
    if template_utils.patch_problem(content_patch) is not None:
        return content_patch, []
    config = template_utils.effective_config(template, content_patch) or {}
    processors = config.get("processor_config")
    notes = []
    for processor, section in processors.items() if isinstance(processors, dict) else ():
        reference = section.get("prompt_template") if isinstance(section, dict) else None
        name = names.get(str(reference)) if isinstance(reference, str | int) else None
        if name is not None:
            content_patch = _with_prompt(content_patch, processor, name)
            notes.append(f"the prompt that it names has the new name {name}")
    return content_patch, notes


def _with_prompt(content_patch: str, processor: str, name: str) -> str:
    """The patch with another prompt for a processor; otherwise unchanged if it already names one."""
    path = f"{json_path('$.processor_config', processor)}.prompt_template"
    for part in parts(content_patch):
        if part.path == path and not part.is_name:
            end = part.offset + len(part.source)
            return f"{content_patch[: part.offset]}{json.dumps(name)}{content_patch[end:]}"
    parsed: Any = template_utils.lenient_patch(content_patch)
    parsed.setdefault("processor_config", {}).setdefault(processor, {})["prompt_template"] = name
    return _as_text(parsed)
