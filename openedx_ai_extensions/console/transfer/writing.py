"""Writes export files."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from openedx_ai_extensions.console.transfer.entries import (
    FIELDS,
    FORMAT,
    MODELS,
    VERSION,
    EntryKind,
    Format,
    escaped,
    masked,
    values_of,
)


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
