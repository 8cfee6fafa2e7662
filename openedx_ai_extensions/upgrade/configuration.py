"""Old prompts, profiles and scopes as ours, held to what ours must be."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.upgrade.old_rows import Row, as_uuid, moment, text
from openedx_ai_extensions.upgrade.renamed import orchestrator_for, template_for
from openedx_ai_extensions.workflows import template_utils

PARENT = "its {kind} was not taken over"


class Left(Exception):
    """A row that cannot be taken over; says why, and names nothing that a person wrote."""


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
    instance = PromptTemplate(
        slug=text(row.get("slug")), body=str(row.get("body") or ""), uuid=identifier or uuid.uuid4()
    )
    return New(instance, kept=timestamps(row))


def profile(row: Row, templates: Mapping[str, str]) -> New:
    """A profile, with the names that its template and its orchestrator have here.

    Args:
        templates: what the operator said of templates, by old path.
    """
    path = str(row.get("base_filepath") or "")
    new_path = template_for(path, templates)
    notes = [f"its template {path} is now {new_path}"] if new_path != path else []
    patch, renamed = _patch(row.get("content_patch"))
    if renamed:
        notes.append(renamed)
    instance = AIWorkflowProfile(
        slug=text(row.get("slug")),
        description=str(row.get("description") or ""),
        base_filepath=new_path,
        content_patch=patch,
    )
    return New(instance, notes)


def _patch(value: Any) -> tuple[str, str]:
    """The patch as text, and what was renamed in it; one that cannot be read is left as it is, to be refused."""
    patch = json.dumps(value) if isinstance(value, dict) else str(value or "")
    name = template_utils.lenient_patch(patch).get("orchestrator_class")
    new_name = orchestrator_for(name) if isinstance(name, str) else name
    if new_name == name:
        return patch, ""
    wanted = {**template_utils.lenient_patch(patch), "orchestrator_class": new_name}
    # The comments in it stay, if the name can be replaced where it stands.
    replaced = patch.replace(str(name), str(new_name))
    if template_utils.lenient_patch(replaced) != wanted:
        replaced = json.dumps(wanted, indent=2, ensure_ascii=False)
    return replaced, f"its orchestrator {name} is now {new_name}"


def scope(row: Row, profiles: Mapping[str, Any]) -> New:
    """A scope.

    Args:
        profiles: what became of profiles, by their old keys: new ids.

    Raises:
        Left: its profile or its course is none here.
    """
    parent = profiles.get(text(row.get("profile_id")))
    if parent is None:
        raise Left(PARENT.format(kind="profile"))
    course = str(row.get("course_id") or "")
    try:
        course_id: Any = CourseKey.from_string(course) if course else CourseKeyField.Empty
    except InvalidKeyError:
        raise Left(f"course_id: {course} is no key of a course") from None
    instance = AIWorkflowScope(
        profile_id=parent,
        course_id=course_id,
        location_regex=row.get("location_regex") or None,
        service_variant=str(row.get("service_variant") or "lms"),
        ui_slot_selector_id=str(row.get("ui_slot_selector_id") or ""),
        enabled=bool(row.get("enabled", True)),
    )
    return New(instance)


def problems(error: ValidationError) -> str:
    """Everything that a validation found, in one line."""
    if not hasattr(error, "error_dict"):
        return "; ".join(error.messages)
    return "; ".join(f"{name}: {message}" for name, messages in error.message_dict.items() for message in messages)


def check(instance: Any, *, is_unique: bool) -> None:
    """Validate an instance whose relations may not be there yet.

    Args:
        is_unique: must it differ from the rows of our table? There has to be one, to ask that.

    Raises:
        ValidationError: it is not valid.
    """
    relations = {field.name for field in instance._meta.fields if field.is_relation}
    instance.full_clean(exclude=relations, validate_unique=is_unique, validate_constraints=is_unique)
