"""Finds the elements of an export that define the course and its blocks, and their drafts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from lxml import etree
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import UsageKey
from opaque_keys.edx.locator import CourseLocator

from openedx_ai_extensions.edxapp.safe_parsing import BrokenXML, attribute, markup_size, parse_json, parse_xml
from openedx_ai_extensions.edxapp.standalone.course import as_text
from openedx_ai_extensions.edxapp.standalone.export import old_definition_names, plain_name
from openedx_ai_extensions.edxapp.standalone.fields import UnreadableBlock, definition_file, is_pointer

logger = logging.getLogger(__name__)

# Tags and attributes in all files that are parsed: a course of 5 000 blocks has some 300 000.
MAX_MARKUP = 1_500_000
_MAX_KEY_CHARS = 255
_POINTER_ATTRIBUTES = frozenset({"url_name", "slug", "org", "course"})
_DRAFTS_FOLDER = "drafts/"
_MAX_POSITION_DIGITS = 7

# Fields by ``category/name``.
Policy = Mapping[str, Mapping[str, str]]
# The category and name of a block, which identify it in a course.
Name = tuple[str, str]


class UnreadableCourse(Exception):
    """The course as a whole cannot be read. The message is part of a sentence, for the operator."""


@dataclass(frozen=True, slots=True)
class CourseDefinition:
    """The course of an export.

    Attributes:
        pointer: the root of ``course.xml``; its attributes take precedence over those of ``element``.
        element: the element that contains the chapters: the same one, or the root of ``course/<run>.xml``.
    """

    course_key: CourseLocator
    run: str
    pointer: etree._Element
    element: etree._Element


def read_course_definition(files: Mapping[str, bytes]) -> CourseDefinition:
    """The course run that ``course.xml`` names; other runs in the export are ignored.

    Raises:
        UnreadableCourse: it or the file of the run is missing or broken, or does not name a course.
    """
    try:
        pointer = parse_xml(files["course.xml"])
    except BrokenXML as error:
        raise UnreadableCourse(_("its course.xml is broken")) from error
    run = attribute(pointer, "url_name") or attribute(pointer, "slug")
    element = pointer if len(pointer) else _run_element(pointer, f"course/{run.replace(':', '/')}.xml", files)
    org, course = (attribute(pointer, name) or attribute(element, name) for name in ("org", "course"))
    try:
        # A locator would replace missing parts, or refuse them with another message.
        if not (org and course and run) or len(org) + len(course) + len(run) > _MAX_KEY_CHARS:
            raise UnreadableCourse(_("its course.xml does not name an organisation, a course and a run"))
        course_key = CourseLocator(org, course, run)
    except InvalidKeyError as error:
        raise UnreadableCourse(_("its course.xml does not name an organisation, a course and a run")) from error
    return CourseDefinition(course_key, run, pointer, element)


def _run_element(pointer: etree._Element, file: str, files: Mapping[str, bytes]) -> etree._Element:
    if file not in files:
        if set(pointer.attrib) <= _POINTER_ATTRIBUTES:
            raise UnreadableCourse(_("the file of the run that its course.xml names is missing"))
        return pointer  # an empty course in a single file
    try:
        element = parse_xml(files[file])
    except BrokenXML as error:
        raise UnreadableCourse(_("the file of the run that its course.xml names is broken")) from error
    if element.tag != "course":
        raise UnreadableCourse(_("the file of the run that its course.xml names contains no course"))
    return element


def read_policy(files: Mapping[str, bytes], run: str) -> Policy:
    """The fields that the policy of a run sets; none without a policy file.

    Raises:
        UnreadableCourse: the file is not an object of objects. It may hide blocks, so the course must not be read.
    """
    name = next((name for name in (f"policies/{run}/policy.json", f"policies/{run}.json") if name in files), None)
    if name is None:
        return {}
    try:
        policy = parse_json(files[name])
        return {block: {name: as_text(value) for name, value in fields.items()} for block, fields in policy.items()}
    except (ValueError, AttributeError) as error:
        raise UnreadableCourse(_("its policy.json is broken, and may hide parts of it")) from error


class Definitions:
    """Reads the definitions of blocks, up to a limit for the whole export."""

    def __init__(self) -> None:
        self._markup_left = MAX_MARKUP

    def find(self, element: etree._Element, files: Mapping[str, bytes]) -> etree._Element:
        """The element itself, or the root of the file that it points to.

        Raises:
            UnreadableBlock: the file is missing, or contains another kind of block.
            BrokenXML: the file cannot be parsed.
            UnreadableCourse: the files are too large together.
        """
        if is_pointer(element):
            file = definition_file(element, files)
            if file is None:
                raise UnreadableBlock("its file is missing")
        else:
            file = _old_definition_file(element, files)
        if file is None:
            return element
        definition = self.parse(files[file])
        if definition.tag != element.tag:
            raise UnreadableBlock("its file holds another kind of block")
        return definition

    def parse(self, data: bytes) -> etree._Element:
        """The root of one file. Raises as ``find``."""
        self._markup_left -= markup_size(data)
        if self._markup_left < 0:
            raise UnreadableCourse(_("it contains too many elements"))
        return parse_xml(data)


def _old_definition_file(element: etree._Element, files: Mapping[str, bytes]) -> str | None:
    # The oldest exports name the file of the content next to the block's fields. HTML blocks still do: their files
    # contain HTML, not XML. A block of an unknown kind may have a field of that name.
    filename = attribute(element, "filename")
    if not filename or element.tag == "html" or len(element):
        return None
    return next((name for name in old_definition_names(str(element.tag), filename) if name in files), None)


@dataclass(frozen=True, slots=True)
class Draft:
    """The root of an unpublished part of the course.

    Attributes:
        name: its own.
        parent: the name of the block that contains it, which may be a draft too.
        position: among its siblings.
    """

    name: Name
    parent: Name
    position: int


class DraftsFirst(Mapping[str, bytes]):
    """The files of an export as a draft needs them: those of drafts, otherwise the published ones."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def __getitem__(self, name: str) -> bytes:
        draft = _DRAFTS_FOLDER + name
        return self._files[draft if draft in self._files else name]

    def __contains__(self, name: object) -> bool:
        return f"{_DRAFTS_FOLDER}{name}" in self._files or name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def read_drafts(files: Mapping[str, bytes], parse: Callable[[bytes], etree._Element]) -> Mapping[Name, Sequence[Draft]]:
    """The drafts by the block that contains them, in order. Drafts without a place are parts of other drafts."""
    broken = 0
    drafts: dict[Name, list[Draft]] = {}
    for name in files:
        if not name.startswith(_DRAFTS_FOLDER) or not name.endswith(".xml"):
            continue
        try:
            draft = _draft(name.removeprefix(_DRAFTS_FOLDER), parse(files[name]))
        except BrokenXML:
            broken += 1
            continue
        if draft is not None:
            drafts.setdefault(draft.parent, []).append(draft)
    if broken:
        logger.warning("standalone.drafts.skipped count=%d", broken)
    return {parent: sorted(found, key=lambda draft: draft.position) for parent, found in drafts.items()}


def _draft(name: str, definition: etree._Element) -> Draft | None:
    category, _slash, file = name.partition("/")
    url = attribute(definition, "parent_url") or attribute(definition, "parent_sequential_url")
    try:
        parent = UsageKey.from_string(url)
    except InvalidKeyError:
        return None
    if definition.tag != category:
        return None
    position = attribute(definition, "index_in_children_list")
    is_position = position.isascii() and position.isdigit() and len(position) <= _MAX_POSITION_DIGITS
    return Draft(
        name=(category, attribute(definition, "url_name") or plain_name(file.removesuffix(".xml")).replace("/", ":")),
        parent=(parent.block_type, parent.block_id),
        position=int(position) if is_position else 10**8,  # a new unit, and a position that cannot be read, come last
    )


def with_drafts(elements: Iterable[etree._Element], drafts: Sequence[Draft]) -> list[etree._Element]:
    """A block's published children, with drafts inserted in place of those that they replace."""
    replaced = {draft.name for draft in drafts}
    children = [child for child in elements if (str(child.tag), attribute(child, "url_name")) not in replaced]
    for draft in drafts:
        category, url_name = draft.name
        children.insert(draft.position, etree.Element(category, {"url_name": url_name}))
    return children
