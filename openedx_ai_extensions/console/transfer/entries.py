"""Writes export files: kinds of entries, the fields of each, and how their values are written."""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from django.db.models import Model, TextChoices
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core.redaction import REDACTED, configured_secrets, redact
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.reports.usage import FORMULA
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


@dataclass(frozen=True, slots=True)
class Export:
    """A file, and the number of its texts in which credentials are masked."""

    text: str
    masked: int


def export(file_format: Format, kinds: Collection[EntryKind], *, with_secrets: bool = False) -> Export:
    """All objects of these kinds. A CSV file has scopes only."""
    if file_format == Format.CSV:
        return Export(_csv(entries_of(EntryKind.SCOPES)), 0)
    data: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    count = 0
    for kind in EntryKind:
        if kind in kinds:
            data[kind.value] = entries = list(entries_of(kind))
            for entry in [] if with_secrets else entries:
                shown = {name: masked(name, value) for name, value in entry.items() if isinstance(value, str)}
                count += sum(text != entry[name] for name, text in shown.items())
                entry.update(shown)
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return Export(text, count)


def entries_of(kind: EntryKind) -> Iterator[dict[str, Any]]:
    """All objects of a kind as entries. Scopes keep the order of their ids: the newer of two equal scopes wins."""
    rows = MODELS[kind]._default_manager.all()
    rows = rows.select_related("profile").order_by("pk") if kind == EntryKind.SCOPES else rows.order_by("slug")
    return (values_of(kind, obj) for obj in rows)


def _csv(entries: Iterator[dict[str, Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(FIELDS[EntryKind.SCOPES])
    for entry in entries:
        cells = (str(value).lower() if isinstance(value, bool) else value for value in entry.values())
        writer.writerow([escaped(cell) for cell in cells])
    return file.getvalue()


# libyaml is ten times as fast as Python's own dumper.
_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):
    """Writes texts of several lines as blocks, which are easy to compare."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
