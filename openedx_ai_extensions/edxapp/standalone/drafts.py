"""Unpublished work in an export: what Studio keeps in its ``drafts`` folder, and where in the course it belongs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.safe_xml import BrokenXML, attribute
from openedx_ai_extensions.edxapp.standalone.files import plain_name

logger = logging.getLogger(__name__)

FOLDER = "drafts/"
# Where a draft belongs; no fields of the block.
PLACE_ATTRIBUTES = frozenset({"parent_url", "parent_sequential_url", "index_in_children_list"})

# A block within one course: its category and name.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """The root of an unpublished part of the course.

    Attributes:
        name: the block's own.
        parent: of the published or unpublished block that it belongs to.
        position: among its siblings.
    """

    name: Name
    parent: Name
    position: int


class DraftsFirst(Mapping[str, bytes]):
    """The files of an export as an author's draft sees them: its own, else the published ones."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def __getitem__(self, name: str) -> bytes:
        return self._files[f"{FOLDER}{name}" if f"{FOLDER}{name}" in self._files else name]

    def __contains__(self, name: object) -> bool:
        return f"{FOLDER}{name}" in self._files or name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def read_drafts(files: Mapping[str, bytes], parse: Callable[[bytes], etree._Element]) -> Mapping[Name, Sequence[Draft]]:
    """The drafts by the block that they belong to, in the order of their places. One that says no place is no root."""
    broken = 0
    drafts: dict[Name, list[Draft]] = {}
    for name in files:
        if not name.startswith(FOLDER) or not name.endswith(".xml"):
            continue
        try:
            draft = _root(name.removeprefix(FOLDER), parse(files[name]))
        except BrokenXML:
            broken += 1
            continue
        if draft is not None:
            drafts.setdefault(draft.parent, []).append(draft)
    if broken:
        logger.warning("standalone.drafts.skipped count=%d", broken)
    return {parent: sorted(found, key=lambda draft: draft.position) for parent, found in drafts.items()}


def with_drafts(elements: Iterable[etree._Element], drafts: Iterable[Draft]) -> list[etree._Element]:
    """A block's children: its published ones, with drafts in their places, instead of what they replace."""
    drafts = list(drafts)
    replaced = {draft.name for draft in drafts}
    children = [child for child in elements if (str(child.tag), attribute(child, "url_name")) not in replaced]
    for draft in drafts:
        category, url_name = draft.name
        children.insert(draft.position, etree.Element(category, {"url_name": url_name}))
    return children


def _root(name: str, definition: etree._Element) -> Draft | None:
    category, _, file = name.partition("/")
    parent = _name_of(attribute(definition, "parent_url") or attribute(definition, "parent_sequential_url"))
    if parent is None or definition.tag != category:
        return None
    position = attribute(definition, "index_in_children_list")
    # One that cannot be read comes last, as it does for a unit that has just been added.
    return Draft(
        name=(category, attribute(definition, "url_name") or plain_name(file.removesuffix(".xml")).replace("/", ":")),
        parent=parent,
        position=int(position) if position.isascii() and position.isdigit() and len(position) < 8 else 10**8,
    )


def _name_of(url: str) -> Name | None:
    try:
        key = UsageKey.from_string(url)
    except InvalidKeyError:
        return None
    return key.block_type, key.block_id
