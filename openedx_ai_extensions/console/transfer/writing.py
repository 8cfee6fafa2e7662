"""Writing a file of configuration."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from openedx_ai_extensions.console.transfer.cells import guarded
from openedx_ai_extensions.console.transfer.kinds import FIELDS, FORMAT, VERSION, EntryKind, Format, masked
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate


@dataclass(frozen=True, slots=True)
class Export:
    """A file, and how many of its texts have credentials replaced."""

    text: str
    masked: int


def export(file_format: Format, kinds: Collection[EntryKind], *, with_secrets: bool = False) -> Export:
    """All there is of these kinds. A CSV file has scopes only."""
    if file_format == Format.CSV:
        return Export(_csv(entries_of(EntryKind.SCOPES)), 0)
    data: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    count = 0
    for kind in EntryKind:
        if kind in kinds:
            entries = list(entries_of(kind))
            if not with_secrets:
                count += _mask(entries)
            data[kind.value] = entries
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return Export(text, count)


def entries_of(kind: EntryKind) -> Iterator[dict[str, Any]]:
    """All objects of a kind as entries, in an order that importing keeps: of two scopes alike the newer goes first."""
    match kind:
        case EntryKind.PROMPTS:
            for prompt in PromptTemplate.objects.order_by("slug"):
                yield {"slug": prompt.slug, "uuid": str(prompt.uuid), "body": prompt.body}
        case EntryKind.PROFILES:
            for profile in AIWorkflowProfile.objects.order_by("slug"):
                yield {name: getattr(profile, name) for name in FIELDS[kind]}
        case EntryKind.SCOPES:
            for scope in AIWorkflowScope.objects.select_related("profile").order_by("pk"):
                yield scope_values(scope)


def scope_values(scope: AIWorkflowScope) -> dict[str, Any]:
    """A scope as an entry."""
    return {
        "profile": scope.profile.slug,
        "course_id": str(scope.course_id or ""),
        "location_regex": scope.location_regex or "",
        "service_variant": scope.service_variant,
        "ui_slot_selector_id": scope.ui_slot_selector_id,
        "outside_courses": scope.outside_courses,
        "enabled": scope.enabled,
    }


def _mask(entries: list[dict[str, Any]]) -> int:
    count = 0
    for entry in entries:
        for name, value in entry.items():
            if isinstance(value, str) and (shown := masked(name, value)) != value:
                entry[name] = shown
                count += 1
    return count


def _csv(entries: Iterator[dict[str, Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    names = list(FIELDS[EntryKind.SCOPES])
    writer.writerow(names)
    for entry in entries:
        cells = (str(entry[name]).lower() if isinstance(entry[name], bool) else entry[name] for name in names)
        writer.writerow([guarded(cell) for cell in cells])
    return file.getvalue()


# libyaml's is ten times as fast.
_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):
    """Texts of several lines stay texts of several lines, for people who compare versions."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
