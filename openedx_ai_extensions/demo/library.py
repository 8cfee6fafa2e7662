"""The demo's content library: what is in it, as far as its pages show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opaque_keys.edx.locator import LibraryUsageLocatorV2

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.safe_parsing import parse_xml

LIBRARY_ID = "lib:OpenedX:AIX"


@dataclass(frozen=True, slots=True)
class LibraryProblem:
    """A problem of a collection, with its OLX."""

    title: str
    olx: str
    is_published: bool


def collections() -> list[dict[str, str]]:
    """Key and title of every collection, by title."""
    found = [{"key": file.stem, "title": _read(file)["title"]} for file in _folder().glob("collections/*.json")]
    return sorted(found, key=lambda collection: (collection["title"].casefold(), collection["key"]))


def problems(key: str) -> list[LibraryProblem]:
    """What is in a collection that ``collections`` has named."""
    blocks = map(LibraryUsageLocatorV2.from_string, _read(_folder() / "collections" / f"{key}.json")["blocks"])
    return [_problem(Path(block.block_type) / f"{block.block_id}.xml") for block in blocks]


def _problem(file: Path) -> LibraryProblem:
    olx = (_folder() / "blocks" / file).read_text(encoding="utf-8")
    title = parse_xml(olx.encode()).get("display_name", "")
    return LibraryProblem(title, olx, is_published=(_folder() / "published" / file).is_file())


def _read(file: Path) -> Mapping[str, Any]:
    collection: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return collection


def _folder() -> Path:
    return Path(conf.get("AI_EXTENSIONS_STANDALONE.LIBRARIES")[LIBRARY_ID]["path"])
