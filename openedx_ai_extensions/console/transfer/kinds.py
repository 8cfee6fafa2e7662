"""What a file of configuration may hold: the kinds of entries, and the fields of each."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core.redaction import REDACTED, configured_secrets, redact
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.workflows.readable_errors import readable

FORMAT = "openedx-ai-extensions"
VERSION = 1
# The texts that people write.
TEXTS = frozenset({"description", "content_patch", "body"})


class Format(enum.StrEnum):
    YAML = "yaml"
    CSV = "csv"


class EntryKind(enum.StrEnum):
    """In the order in which they are imported: each may refer to those before it."""

    PROMPTS = "prompts"
    PROFILES = "profiles"
    SCOPES = "scopes"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an entry.

    Attributes:
        default: for one that is left out or null; None with ``is_required``.
        is_required: it may not be left out.
    """

    default: Any = ""
    is_required: bool = False


REQUIRED = Field(None, is_required=True)

FIELDS: Mapping[EntryKind, Mapping[str, Field]] = {
    EntryKind.PROMPTS: {"slug": REQUIRED, "uuid": Field(), "body": REQUIRED},
    EntryKind.PROFILES: {
        "slug": REQUIRED,
        "description": Field(),
        "base_filepath": REQUIRED,
        "content_patch": Field(),
    },
    EntryKind.SCOPES: {
        "profile": REQUIRED,
        "course_id": Field(),
        "location_regex": Field(),
        "service_variant": REQUIRED,
        "ui_slot_selector_id": Field(),
        "outside_courses": Field(False),
        "enabled": Field(True),
    },
}
MODELS: Mapping[EntryKind, type[Model]] = {
    EntryKind.PROMPTS: PromptTemplate,
    EntryKind.PROFILES: AIWorkflowProfile,
    EntryKind.SCOPES: AIWorkflowScope,
}
NAMES: Mapping[EntryKind, Promise] = {
    EntryKind.PROMPTS: gettext_lazy("Prompt"),
    EntryKind.PROFILES: gettext_lazy("Profile"),
    EntryKind.SCOPES: gettext_lazy("Scope"),
}


@dataclass(frozen=True, slots=True)
class TransferEntry:
    """One entry of a file, with every field.

    Attributes:
        where: in the file, in words.
    """

    kind: EntryKind
    values: Mapping[str, Any]
    where: str


def masked(name: str, text: str) -> str:
    """A field's text without credentials; the text itself when it has none."""
    if name not in TEXTS or not text.strip():
        return text
    if name != "content_patch":
        return str(redact(text, configured_secrets()))
    shown = readable(text)
    if shown.is_unreadable:
        return REDACTED  # nobody can tell what in it is a credential
    return f"{shown.text}\n" if shown.is_masked else text


def is_masked(text: object) -> bool:
    return isinstance(text, str) and REDACTED in text
