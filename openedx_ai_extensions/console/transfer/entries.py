"""What an export file contains: kinds of entries, the fields of each, and how their values are written."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, TextChoices
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core.redaction import REDACTED, configured_secrets, redact
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.reports.tables import FORMULA
from openedx_ai_extensions.workflows.patches import readable

FORMAT = "openedx-ai-extensions"
VERSION = 1
# Fields with texts that people write, which may contain credentials.
TEXT_FIELDS = frozenset({"description", "content_patch", "body"})
QUOTE = "'"
ESCAPED = (*FORMULA, QUOTE)


class Format(enum.StrEnum):
    YAML = "yaml"
    CSV = "csv"


class EntryKind(TextChoices):
    """In the order in which they are imported: each may refer to those before it."""

    PROMPTS = "prompts", gettext_lazy("Prompt")
    PROFILES = "profiles", gettext_lazy("Profile")
    SCOPES = "scopes", gettext_lazy("Scope")


REQUIRED = None
# The default of each field.
FIELDS: Mapping[EntryKind, Mapping[str, Any]] = {
    EntryKind.PROMPTS: {"slug": REQUIRED, "uuid": "", "body": REQUIRED},
    EntryKind.PROFILES: {"slug": REQUIRED, "description": "", "base_filepath": REQUIRED, "content_patch": ""},
    EntryKind.SCOPES: {
        "profile": REQUIRED,
        "course_id": "",
        "location_regex": "",
        "service_variant": REQUIRED,
        "ui_slot_selector_id": "",
        "outside_courses": False,
        "enabled": True,
    },
}
MODELS: Mapping[EntryKind, type[Model]] = {
    EntryKind.PROMPTS: PromptTemplate,
    EntryKind.PROFILES: AIWorkflowProfile,
    EntryKind.SCOPES: AIWorkflowScope,
}


@dataclass(frozen=True, slots=True)
class TransferEntry:
    """One entry of a file, with every field.

    Attributes:
        where: its position in the file, in words.
    """

    kind: EntryKind
    values: Mapping[str, Any]
    where: str


def values_of(kind: EntryKind, obj: Model) -> dict[str, Any]:
    """An object as an entry."""
    return {name: _value(getattr(obj, name)) for name in FIELDS[kind]}


def _value(value: Any) -> str | bool:
    if isinstance(value, AIWorkflowProfile):
        return value.slug
    return value if isinstance(value, bool) else str(value or "")


def masked(name: str, text: str) -> str:
    """The text of a field without credentials; unchanged when it has none."""
    if name not in TEXT_FIELDS or not text.strip():
        return text
    if name != "content_patch":
        return str(redact(text, configured_secrets()))
    shown = readable(text)
    if shown.is_unreadable:
        return REDACTED  # credentials cannot be told from other text
    return f"{shown.text}\n" if shown.is_masked else text


def is_masked(text: object) -> bool:
    return isinstance(text, str) and REDACTED in text


def escaped(text: str) -> str:
    """A CSV cell that a spreadsheet shows as text instead of running it as a formula."""
    return f"{QUOTE}{text}" if text.startswith(ESCAPED) else text


def unescaped(cell: str) -> str:
    """Reverses ``escaped``."""
    return cell[1:] if cell.startswith(QUOTE) and cell[1:].startswith(ESCAPED) else cell
