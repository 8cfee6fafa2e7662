"""From the files of an export to a ``Course``."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from lxml import etree
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.safe_xml import BrokenXML, attribute
from openedx_ai_extensions.edxapp.standalone.course import ABOVE_UNITS, SEQUENCES, Course, StoredBlock, course_info
from openedx_ai_extensions.edxapp.standalone.definitions import Definitions, read_policy
from openedx_ai_extensions.edxapp.standalone.drafts import PLACE_ATTRIBUTES, DraftsFirst, read_drafts, with_drafts
from openedx_ai_extensions.edxapp.standalone.entrance import UnreadableCourse, read_entrance
from openedx_ai_extensions.edxapp.standalone.fields import UnreadableBlock, block_fields, child_elements
from openedx_ai_extensions.edxapp.standalone.rules import Rules
from openedx_ai_extensions.edxapp.standalone.values import flag, plain
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

MAX_BLOCKS = 50_000
_MAX_DEPTH = 25
# What the database holds of a usage key.
_MAX_NAME = 255
_MAX_ATTRIBUTES = 1000
_MAX_LOGGED = 100


def read_course(files: Mapping[str, bytes], *, drafts: bool = False) -> Course:
    """Parse an export. A block that cannot be read is left out with a line in the log; the rest stands.

    Args:
        files: by name, from the folder of ``course.xml``.
        drafts: take in unpublished work, for staff only, in place of what it will replace.

    Raises:
        ProcessorError: the course itself, or a policy that may hide parts of it, cannot be read.
    """
    try:
        return _CourseReader(files, drafts=drafts).read()
    except UnreadableCourse as error:
        logger.warning("standalone.course.unreadable reason=%s", error)
        raise ProcessorError(_("The course export cannot be read: %(why)s.") % {"why": error.reason}) from error


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the course a block stands, and the files that hold it."""

    files: Mapping[str, bytes]
    rules: Rules
    sequence: UsageKey | None = None
    in_unit: bool = False
    depth: int = 0


class _CourseReader:
    """Walks one export once, in reading order."""

    def __init__(self, files: Mapping[str, bytes], *, drafts: bool) -> None:
        self._files = files
        self._definitions = Definitions()
        self._drafts = read_drafts(files, self._definitions.parse) if drafts else {}
        self._draft_names = {draft.name for found in self._drafts.values() for draft in found}
        self._entrance = read_entrance(files)
        self._course_key = self._entrance.course_key
        try:
            self._policy = read_policy(files, self._entrance.run)
        except ValueError as error:
            raise UnreadableCourse(gettext_lazy("its policy.json is broken, and may hide parts of it")) from error
        self._language = ""
        self._blocks: dict[UsageKey, StoredBlock] = {}
        self._seen: set[UsageKey] = set()
        self._unnamed: Counter[str] = Counter()
        self._units: list[UsageKey] = []
        self._unit_ranges: dict[UsageKey, range] = {}
        self._sequences: dict[UsageKey, UsageKey] = {}
        self._parents: dict[UsageKey, UsageKey] = {}
        self._tried = self._skipped = 0

    def read(self) -> Course:
        element, definition = self._entrance.element, self._entrance.definition
        try:
            metadata = self._metadata(element, definition, f"course/{self._entrance.run}")
        except UnreadableBlock as error:
            raise UnreadableCourse(gettext_lazy("there is too much in it")) from error
        self._language = plain(metadata.get("language"))
        # The platform's key of a course block does not carry the run.
        key = self._course_key.make_usage_key("course", "course")
        root = self._store(key, definition, metadata, _Place(self._files, Rules()))
        if self._skipped > _MAX_LOGGED:
            logger.warning("standalone.course.skipped course=%s blocks=%d", self._course_key, self._skipped)
        return Course(
            info=course_info(self._course_key, self._entrance.run, metadata, self._files),
            root=root,
            blocks=MappingProxyType(self._blocks),
            units=tuple(self._blocks[key] for key in self._units),
            unit_ranges=MappingProxyType(self._unit_ranges),
            sequences=MappingProxyType(self._sequences),
            parents=MappingProxyType(self._parents),
        )

    def _metadata(self, element: etree._Element, definition: etree._Element, name: str) -> Mapping[str, str]:
        # The time that lxml takes for all attributes of an element grows with the square of their number.
        if len(definition.attrib) > _MAX_ATTRIBUTES or len(element.attrib) > _MAX_ATTRIBUTES:
            raise UnreadableBlock("too many attributes")
        written = {str(name): str(value) for name, value in (*definition.attrib.items(), *element.attrib.items())}
        return {**written, **self._policy.get(name, {})}

    def _read_children(self, parent: UsageKey, definition: etree._Element, place: _Place) -> Iterator[StoredBlock]:
        category = parent.block_type
        elements = child_elements(category, definition, place.files)
        drafts = self._drafts.get((category, parent.block_id))
        for element in with_drafts(elements, drafts) if drafts else elements:
            self._tried += 1
            if self._tried > MAX_BLOCKS:
                raise UnreadableCourse(gettext_lazy("it holds too many blocks"))
            try:
                yield self._read_block(element, place)
            except (BrokenXML, UnreadableBlock) as error:
                self._skipped += 1
                if self._skipped <= _MAX_LOGGED:
                    name = f"{element.tag}/{attribute(element, 'url_name')}"
                    # An export can write names and, through them, reasons of any length.
                    logger.warning(
                        "standalone.block.skipped course=%s block=%.120r reason=%.120r",
                        self._course_key,
                        name,
                        str(error),
                    )

    def _read_block(self, element: etree._Element, place: _Place) -> StoredBlock:
        category, block_id = str(element.tag), self._name(element)
        if place.depth > _MAX_DEPTH or len(category) + len(block_id) > _MAX_NAME:
            raise UnreadableBlock("nested too deep, or a name too long")
        try:
            usage_key = self._course_key.make_usage_key(category, block_id)
        except InvalidKeyError as error:
            raise UnreadableBlock("a name that no key can carry") from error
        if usage_key in self._seen:
            raise UnreadableBlock("met before")
        self._seen.add(usage_key)
        if (category, block_id) in self._draft_names:
            place = replace(place, files=DraftsFirst(self._files), rules=place.rules.for_staff())
        definition = self._definitions.find(element, place.files)
        metadata = self._metadata(element, definition, f"{category}/{block_id}")
        return self._store(usage_key, definition, metadata, place)

    def _name(self, element: etree._Element) -> str:
        name = attribute(element, "url_name") or attribute(element, "slug")
        if name:
            return name
        # The same on every reading, whatever comes to stand before it.
        name = f"{element.tag}_{hashlib.sha256(etree.tostring(element, with_tail=False)).hexdigest()[:12]}"
        self._unnamed[name] += 1
        return name if self._unnamed[name] == 1 else f"{name}_{self._unnamed[name]}"

    def _store(
        self, usage_key: UsageKey, definition: etree._Element, metadata: Mapping[str, str], place: _Place
    ) -> StoredBlock:
        category = usage_key.block_type
        rules = place.rules.below(metadata)
        fields = self._fields(usage_key, definition, metadata, place.files)
        if category in SEQUENCES:
            place = replace(place, sequence=usage_key)
        is_unit = not place.in_unit and category not in ABOVE_UNITS
        if is_unit:
            self._units.append(usage_key)
        # A block inside a unit stands for that unit, which is the last one begun.
        first = len(self._units) - (place.in_unit or is_unit)
        children_place = replace(
            place,
            rules=rules.for_children_of(category, metadata),
            in_unit=place.in_unit or is_unit,
            depth=place.depth + 1,
        )
        block = StoredBlock(
            usage_key=usage_key,
            category=category,
            display_name=plain(metadata.get("display_name")),
            fields=MappingProxyType(fields),
            hidden=rules.hidden,
            opens=rules.opens,
            closes=rules.closes,
            answers_open=rules.answers_open,
            children=tuple(self._read_children(usage_key, definition, children_place)),
            in_outline=not flag(metadata.get("hide_from_toc")),
        )
        self._blocks[usage_key] = block
        self._parents.update((child.usage_key, usage_key) for child in block.children)
        self._unit_ranges[usage_key] = range(first, len(self._units))
        if place.sequence is not None:
            self._sequences[usage_key] = place.sequence
        return block

    def _fields(
        self, usage_key: UsageKey, definition: etree._Element, metadata: Mapping[str, str], files: Mapping[str, bytes]
    ) -> dict[str, object]:
        if usage_key.block_type == "course":
            # A course's settings hold passwords of LTI tools; what it says of itself is its information.
            return {}
        fields = block_fields(usage_key, definition, metadata, files, self._language)
        return {name: value for name, value in fields.items() if name not in PLACE_ATTRIBUTES}
