"""Old prompts, profiles and scopes as ours, held to what ours must be."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.validators import slug_re
from django.utils.text import slugify
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.contrib.upgrade.old_rows import Row, as_uuid, moment, text
from openedx_ai_extensions.contrib.upgrade.patches import patch, with_prompts, without_words_of
from openedx_ai_extensions.contrib.upgrade.tables import aside_name
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.workflows import template_utils

# By words that the file's name begins with, or that follow an underscore there; the first that fits counts.
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
# For a base without an orchestrator, to which profiles add all that matters.
BLANK = "blank"
FOR_BLANK = "base/summary.json5"
MAX_SLUG = 100
PARENT = "its {kind} was not taken over"
MEND_PARENT = "see to that one"
MEND = "change {name} in the old row"
OUTSIDE = "it still answers outside of courses, to whoever has an account: untick that where no widget needs it"
LET_GO = "none: --drop-old --discard-left lets it go"


def template_for(path: str, chosen: Mapping[str, str]) -> str:
    """The template to use for an old path; the path itself where nothing is known of it.

    Args:
        path: as the old profile has it.
        chosen: what the operator said, by old path.
    """
    if path in chosen:
        return chosen[path]
    if template_utils.template_version(path) is not None:
        return path
    old = PurePosixPath(path)
    for suffix in template_utils.SUFFIXES:
        other = str(old.with_suffix(suffix)) if old.name else path
        if template_utils.template_version(other) is not None:
            return other
    words = _words(path)
    if _has(words, BLANK):
        return FOR_BLANK
    fitting = (ours for wanted, ours in TEMPLATES.items() if all(_has(words, word) for word in wanted))
    return next(fitting, path)


def was_blank(path: str, new_path: str, chosen: Mapping[str, str]) -> bool:
    """Did the old template run nothing, unless a profile added what does, and is ours only the nearest to it?"""
    return _has(_words(path), BLANK) and new_path == FOR_BLANK and path not in chosen


def _words(path: str) -> list[str]:
    return PurePosixPath(path).stem.lower().replace("-", "_").split("_")


def _has(words: Sequence[str], start: str) -> bool:
    return any(word.startswith(start) for word in words)


class Left(Exception):
    """A row that cannot be taken over; says why, and names nothing that a person wrote.

    Attributes:
        to_do: the one thing that would change it.
    """

    def __init__(self, reason: str, to_do: str) -> None:
        self.to_do = to_do
        super().__init__(reason)


@dataclass(slots=True)
class New:
    """What an old row becomes.

    Attributes:
        instance: of our model, not saved.
        notes: what is not as it was, for the operator.
        kept: columns to write once more after the row was made, as making it sets them.
    """

    instance: Any
    notes: list[str] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)


def timestamps(row: Row) -> dict[str, Any]:
    """The times that a row has."""
    found = {name: moment(row.get(name)) for name in ("created_at", "updated_at")}
    return {name: value for name, value in found.items() if value is not None}


def prompt(row: Row) -> New:
    """A prompt; what profiles refer to it by stays: its slug, and the UUID that it has as its key or beside it."""
    identifier = as_uuid(row.get("uuid")) or as_uuid(row.get("id"))
    slug, notes = _slug(row, "prompt")
    instance = PromptTemplate(slug=slug, body=str(row.get("body") or ""), uuid=identifier or uuid.uuid4())
    return New(instance, notes, timestamps(row))


def _slug(row: Row, kind: str) -> tuple[str, list[str]]:
    """What a row is called: its own slug, or else the nearest that is one."""
    old = str(row.get("slug") or "")
    if slug_re.fullmatch(old) and len(old) <= MAX_SLUG:
        return old, []
    key = text(row.get("id"))
    new = f"{slugify(old)[: MAX_SLUG - 40] or kind}-{key}"
    return new, [f"it is called {new} now"]


def profile(row: Row, templates: Mapping[str, str], prompts: Mapping[str, str]) -> New:
    """A profile, with the name that its template has here.

    Args:
        templates: what the operator said of templates, by old path.
        prompts: names of prompts that are not found by what old profiles call them.

    Raises:
        Left: it ran nothing.
    """
    path = str(row.get("base_filepath") or "")
    new_path = template_for(path, templates)
    slug, notes = _slug(row, "profile")
    place = f"the row {text(row.get('id'))} of {aside_name(AIWorkflowProfile._meta.db_table)}"
    content_patch, changes = patch(row.get("content_patch"), place)
    if new_path != path:
        if was_blank(path, new_path, templates):
            if "orchestrator_class" not in template_utils.lenient_patch(content_patch):
                raise Left("it names no orchestrator, and neither did its template", MEND.format(name="content_patch"))
            content_patch = without_words_of(template_utils.load_template(new_path) or {}, content_patch)
        notes.append(f"its template {path} is now {new_path}")
    content_patch, named = with_prompts(new_path, content_patch, prompts)
    instance = AIWorkflowProfile(
        slug=slug,
        description=str(row.get("description") or ""),
        base_filepath=new_path,
        content_patch=content_patch,
    )
    return New(instance, [*notes, *changes, *named])


def scope(row: Row, profiles: Mapping[str, Any]) -> New:
    """A scope.

    Args:
        profiles: what became of profiles, by their old keys: new ids.

    Raises:
        Left: its profile or its course is none here.
    """
    parent = profiles.get(text(row.get("profile_id")))
    if parent is None:
        raise Left(PARENT.format(kind="profile"), MEND_PARENT)
    course = str(row.get("course_id") or "")
    try:
        course_id: Any = CourseKey.from_string(course) if course else CourseKeyField.Empty
    except InvalidKeyError:
        raise Left(f"course_id: {course} is no key of a course", MEND.format(name="course_id")) from None
    pattern = row.get("location_regex") or None
    # It answered there, and nothing says whether anybody asks.
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
    return New(instance, [OUTSIDE] if is_outside else [])


def problems(error: ValidationError) -> str:
    """Everything that a validation found, in one line."""
    if not hasattr(error, "error_dict"):
        return "; ".join(error.messages)
    return "; ".join(f"{name}: {message}" for name, messages in error.message_dict.items() for message in messages)


def to_do(error: ValidationError, row: Row) -> str:
    """The one thing that would mend what a validation found."""
    names = list(getattr(error, "error_dict", ()))
    if "base_filepath" in names:
        return f"--template {row.get('base_filepath')}=<a template that is here>"
    return MEND.format(name=names[0]) if names and names != [NON_FIELD_ERRORS] else LET_GO


def check(instance: Any, *, is_unique: bool) -> None:
    """Validate an instance whose relations may not be there yet.

    Args:
        is_unique: must it differ from the rows of our table? There has to be one, to ask that.

    Raises:
        ValidationError: it is not valid.
    """
    relations = {field.name for field in instance._meta.fields if field.is_relation}
    instance.full_clean(exclude=relations, validate_unique=is_unique, validate_constraints=is_unique)
