"""Reading a file of configuration that somebody else wrote: everything is checked before anything is done."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from django.utils.translation import gettext as _

from openedx_ai_extensions.console.transfer.cells import unguarded
from openedx_ai_extensions.console.transfer.kinds import FIELDS, FORMAT, VERSION, EntryKind, Format, TransferEntry
from openedx_ai_extensions.exceptions import InvalidRequest

MAX_BYTES = 8_000_000
MAX_ENTRIES = 50_000
MAX_DEPTH = 8
MAX_ERRORS = 50
MAX_NUMBER_CHARS = 100
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class _Loader(_SafeLoader):
    """Reads no long numbers: those that YAML 1.1 writes to the base of 60 take quadratic time."""


def _add_number(tag: str, construct: Callable[[Any, Any], Any]) -> None:
    def constructed(loader: Any, node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode) and len(node.value) > MAX_NUMBER_CHARS:
            raise _refused(node, _("this number is too long"))
        return construct(loader, node)

    _Loader.add_constructor(tag, constructed)


_add_number("tag:yaml.org,2002:int", _SafeLoader.construct_yaml_int)
_add_number("tag:yaml.org,2002:float", _SafeLoader.construct_yaml_float)


def read(content: bytes, file_format: Format) -> list[TransferEntry]:
    """The entries of a file, in the order in which to import them.

    Raises:
        InvalidRequest: it cannot be read, or entries are not as they should be; a message for each.
    """
    if len(content) > MAX_BYTES:
        raise InvalidRequest(_("The file is larger than {count} bytes.").format(count=MAX_BYTES))
    try:
        # Spreadsheets begin a file with a mark that is no text.
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
    """By a file's name."""
    return Format.CSV if name.lower().endswith(".csv") else Format.YAML


def _checked(kind: EntryKind, values: Any, where: str, errors: list[str]) -> TransferEntry | None:
    """The entry with every field; None when something is wrong, which is then in ``errors``."""
    if not isinstance(values, Mapping):
        errors.append(_("{where}: this must be a list of fields with values.").format(where=where))
        return None
    fields, found = FIELDS[kind], len(errors)
    unknown = [str(name) for name in values if name not in fields]
    if unknown:
        errors.append(
            _("{where}: unknown fields: {names}. There are: {known}.").format(
                where=where, names=", ".join(unknown), known=", ".join(fields)
            )
        )
    full = {}
    for name, field in fields.items():
        value = values.get(name)
        if value is None or (value == "" and field.is_required):
            if field.is_required:
                errors.append(_("{where}: {name} is missing.").format(where=where, name=name))
            value = field.default
        elif not isinstance(value, type(field.default) if not field.is_required else str):
            is_text = field.is_required or isinstance(field.default, str)
            wanted = _("a text, in quotes if need be") if is_text else _("true or false")
            errors.append(_("{where}: {name} must be {wanted}.").format(where=where, name=name, wanted=wanted))
        full[name] = value
    return TransferEntry(kind, full, where) if len(errors) == found else None


def _yaml_entries(text: str) -> Iterator[tuple[EntryKind, Any, str]]:
    try:
        _require_plain(text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            data = loader.construct_document(root) if root else None
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError) as error:
        # A date that is none is a ValueError.
        raise InvalidRequest(_("This is not valid YAML: {error}").format(error=error)) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InvalidRequest(_("This is no export of AI workflows: it must begin with “format: {name}”.").format(
            name=FORMAT))  # fmt: skip
    if data.get("version") != VERSION:
        raise InvalidRequest(_("Only version {version} of the format is known here.").format(version=VERSION))
    unknown = [str(name) for name in data if name not in {"format", "version", *EntryKind}]
    if unknown:
        raise InvalidRequest(_("Unknown parts: {names}.").format(names=", ".join(unknown)))
    for key_node, value_node in root.value:
        if key_node.value not in list(EntryKind) or data[key_node.value] is None:
            continue
        if not isinstance(value_node, yaml.SequenceNode):
            raise InvalidRequest(_("{name} must be a list of entries.").format(name=key_node.value))
        for number, (node, item) in enumerate(zip(value_node.value, data[key_node.value], strict=True), start=1):
            where = _("{kind}, entry {number} (line {line})").format(
                kind=key_node.value, number=number, line=node.start_mark.line + 1
            )
            yield EntryKind(key_node.value), item, where


def _require_plain(text: str) -> None:
    """No references, which multiply; no more depth than an export has; no key twice.

    Raises:
        yaml.YAMLError: it is not YAML, or one of these.
    """
    # Of each mapping around the event, its keys; of each list, None. And what comes next in it: a key or a value?
    keys: list[set[str] | None] = []
    is_key: list[bool] = []
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event, _("references (*name) are not taken"))
        if isinstance(event, yaml.CollectionEndEvent):
            keys.pop()
            is_key.pop()
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            here = keys[-1] if keys else None
            if here is not None:
                if is_key[-1] and isinstance(event, yaml.ScalarEvent):
                    if event.value in here:
                        raise _refused(event, _("{name} is here twice").format(name=event.value))
                    here.add(event.value)
                is_key[-1] = not is_key[-1]
            if isinstance(event, yaml.CollectionStartEvent):
                keys.append(set() if isinstance(event, yaml.MappingStartEvent) else None)
                is_key.append(True)
                if len(keys) > MAX_DEPTH:
                    raise _refused(event, _("this is nested too deep"))


def _refused(event: Any, problem: str) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _csv_entries(text: str) -> Iterator[tuple[EntryKind, Any, str]]:
    head = text.partition("\n")[0]
    # What spreadsheets write where a comma is part of numbers.
    delimiter = ";" if ";" in head and "," not in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if "profile" not in names or len(set(names)) < len(names):
            raise InvalidRequest(
                _("The first line must name the columns, each once: {names}.").format(
                    names=", ".join(FIELDS[EntryKind.SCOPES])
                )
            )
        for row in reader:
            if not any(row):
                continue
            where = _("line {number}").format(number=reader.line_num)
            if len(row) != len(names):
                raise InvalidRequest(
                    _("{where}: {count} cells instead of {wanted}.").format(
                        where=where, count=len(row), wanted=len(names)
                    )
                )
            yield EntryKind.SCOPES, _from_cells(dict(zip(names, row, strict=True))), where
    except csv.Error as error:
        raise InvalidRequest(
            _("line {number}: this is not valid CSV: {error}").format(number=reader.line_num, error=error)
        ) from None


def _from_cells(cells: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {name: unguarded(cell) for name, cell in cells.items()}
    for name, field in FIELDS[EntryKind.SCOPES].items():
        if isinstance(field.default, bool):
            said = values.get(name, "").strip().lower()
            # What is neither stays a text, and is refused as one.
            values[name] = BOOLEANS.get(said, said) if said else None
    return values
