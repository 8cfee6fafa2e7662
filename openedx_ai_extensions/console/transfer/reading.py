"""Reads and validates files that may come from anywhere. Nothing is stored here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from django.utils.translation import gettext as _

from openedx_ai_extensions.console.transfer.entries import (
    FIELDS,
    FORMAT,
    REQUIRED,
    VERSION,
    EntryKind,
    Format,
    TransferEntry,
    unescaped,
)
from openedx_ai_extensions.exceptions import InvalidRequest

MAX_BYTES = 8_000_000
MAX_ENTRIES = 50_000
MAX_DEPTH = 8
MAX_ERRORS = 50
MAX_NUMBER_CHARS = 100
NUMBER_TAGS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class _Loader(_SafeLoader):
    """Rejects long numbers and repeated keys."""

    def construct_scalar(self, node: Any) -> Any:
        # YAML 1.1 also has numbers to the base of 60, which take quadratic time.
        if node.tag in NUMBER_TAGS and len(node.value) > MAX_NUMBER_CHARS:
            raise _yaml_error(node.start_mark, _("this number is too long"))
        return super().construct_scalar(node)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _yaml_error(key.start_mark, _("{name} occurs twice").format(name=key.value))
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read(content: bytes, file_format: Format) -> list[TransferEntry]:
    """The entries of a file, in the order in which to import them.

    Raises:
        InvalidRequest: the file cannot be read, or has invalid entries; with a message for each.
    """
    if len(content) > MAX_BYTES:
        raise InvalidRequest(_("The file is larger than {count} bytes.").format(count=MAX_BYTES))
    try:
        # Spreadsheets write a byte order mark at the beginning.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(_("The file is not UTF-8 text.")) from None
    raw = list(_csv_entries(text) if file_format == Format.CSV else _yaml_entries(text))
    if len(raw) > MAX_ENTRIES:
        raise InvalidRequest(_("The file has more than {count} entries.").format(count=MAX_ENTRIES))
    errors: list[str] = []
    entries = [entry for item in raw if (entry := _checked(*item, errors)) is not None]
    if errors:
        raise InvalidRequest(errors[:MAX_ERRORS])
    order = list(EntryKind)
    return sorted(entries, key=lambda entry: order.index(entry.kind))


def format_of(name: str) -> Format:
    """The format of a file, by its name."""
    return Format.CSV if name.lower().endswith(".csv") else Format.YAML


def _checked(kind: EntryKind, values: Any, where: str, errors: list[str]) -> TransferEntry | None:
    """The entry with every field; None if it is not valid, after adding messages to ``errors``."""
    if not isinstance(values, Mapping):
        errors.append(_("{where}: this must be a list of fields with values.").format(where=where))
        return None
    fields, found = FIELDS[kind], len(errors)
    unknown = [str(name) for name in values if name not in fields]
    if unknown:
        text = _("{where}: unknown fields: {names}. Valid fields: {known}.")
        errors.append(text.format(where=where, names=", ".join(unknown), known=", ".join(fields)))
    full = {}
    for name, default in fields.items():
        value = values.get(name)
        if value is None or (value == "" and default is REQUIRED):
            if default is REQUIRED:
                errors.append(_("{where}: {name} is missing.").format(where=where, name=name))
            value = default
        elif not isinstance(value, str if default is REQUIRED else type(default)):
            expected = _("true or false") if isinstance(default, bool) else _("a text, in quotes if necessary")
            errors.append(_("{where}: {name} must be {expected}.").format(where=where, name=name, expected=expected))
        full[name] = value
    return TransferEntry(kind, full, where) if len(errors) == found else None


def _yaml_entries(text: str) -> Iterator[tuple[EntryKind, Any, str]]:
    try:
        _require_simple(text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            data = loader.construct_document(root) if root else None
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError) as error:
        # An invalid date is a ValueError.
        raise InvalidRequest(_("This is not valid YAML: {error}").format(error=error)) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        text = _("This is not an export of AI workflows: it must begin with “format: {name}”.")
        raise InvalidRequest(text.format(name=FORMAT))
    if data.get("version") != VERSION:
        raise InvalidRequest(_("Only version {version} of the format is supported.").format(version=VERSION))
    unknown = [str(name) for name in data if name not in {"format", "version", *EntryKind}]
    if unknown:
        raise InvalidRequest(_("Unknown sections: {names}.").format(names=", ".join(unknown)))
    for key_node, value_node in root.value:
        if key_node.value not in list(EntryKind) or data[key_node.value] is None:
            continue
        if not isinstance(value_node, yaml.SequenceNode):
            raise InvalidRequest(_("{name} must be a list of entries.").format(name=key_node.value))
        for number, (node, item) in enumerate(zip(value_node.value, data[key_node.value], strict=True), start=1):
            where = _("{kind}, entry {number} (line {line})")
            line = node.start_mark.line + 1
            yield EntryKind(key_node.value), item, where.format(kind=key_node.value, number=number, line=line)


def _require_simple(text: str) -> None:
    """Reject references, which multiply, and deep nesting.

    Raises:
        yaml.YAMLError: the text has one of these, or is not YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise _yaml_error(event.start_mark, _("references (*name) are not supported"))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _yaml_error(event.start_mark, _("this is nested too deep"))


def _yaml_error(mark: Any, problem: str) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _csv_entries(text: str) -> Iterator[tuple[EntryKind, Any, str]]:
    head = text.partition("\n")[0]
    # Spreadsheets write semicolons in languages with a decimal comma.
    delimiter = ";" if ";" in head and "," not in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if "profile" not in names or len(set(names)) < len(names):
            problem = _("The first line must name the columns, each once: {names}.")
            raise InvalidRequest(problem.format(names=", ".join(FIELDS[EntryKind.SCOPES])))
        for row in reader:
            if not any(row):
                continue
            where = _("line {number}").format(number=reader.line_num)
            if len(row) != len(names):
                problem = _("{where}: {count} cells instead of {expected}.")
                raise InvalidRequest(problem.format(where=where, count=len(row), expected=len(names)))
            yield EntryKind.SCOPES, _from_cells(dict(zip(names, row, strict=True))), where
    except csv.Error as error:
        problem = _("line {number}: this is not valid CSV: {error}")
        raise InvalidRequest(problem.format(number=reader.line_num, error=error)) from None


def _from_cells(cells: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {name: unescaped(cell) for name, cell in cells.items()}
    for name, default in FIELDS[EntryKind.SCOPES].items():
        if isinstance(default, bool):
            text = values.get(name, "").strip().lower()
            # Other texts are kept, so that they are reported.
            values[name] = BOOLEANS.get(text, text) if text else None
    return values
