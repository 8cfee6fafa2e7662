"""The demo's content library, as its pages show it."""

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
    title: str
    olx: str
    is_published: bool


def collections() -> list[dict[str, str]]:
    """The key and title of each collection, sorted by title."""
    found = [{"key": file.stem, "title": _read(file)["title"]} for file in _folder().glob("collections/*.json")]
    return sorted(found, key=lambda collection: (collection["title"].casefold(), collection["key"]))


def problems(key: str) -> list[LibraryProblem]:
    """The problems of a collection."""
    found = []
    for block in map(LibraryUsageLocatorV2.from_string, _read(_folder() / "collections" / f"{key}.json")["blocks"]):
        file = Path(block.block_type) / f"{block.block_id}.xml"
        olx = (_folder() / "blocks" / file).read_text(encoding="utf-8")
        title = parse_xml(olx.encode()).get("display_name", "")
        found.append(LibraryProblem(title, olx, is_published=(_folder() / "published" / file).is_file()))
    return found


def _read(file: Path) -> Mapping[str, Any]:
    collection: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return collection


def _folder() -> Path:
    return Path(conf.get("AI_EXTENSIONS_STANDALONE.LIBRARIES")[LIBRARY_ID]["path"])
