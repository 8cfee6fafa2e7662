"""From the files of an export to a ``Course``."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from django.utils.translation import gettext as _
from lxml import etree
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import UsageKey
from opaque_keys.edx.locator import CourseLocator

from openedx_ai_extensions.edxapp.safe_xml import BrokenXML, attribute, parse_xml
from openedx_ai_extensions.edxapp.standalone.about import course_info
from openedx_ai_extensions.edxapp.standalone.course import ABOVE_UNITS, SEQUENCES, Course, StoredBlock
from openedx_ai_extensions.edxapp.standalone.fields import (
    UnreadableBlock,
    block_fields,
    child_elements,
    file_name,
    is_pointer,
)
from openedx_ai_extensions.edxapp.standalone.rules import Rules
from openedx_ai_extensions.edxapp.standalone.values import as_text, parse_json, plain
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

_MAX_DEPTH = 25


def read_course(files: Mapping[str, bytes]) -> Course:
    """Parse an export. A block that cannot be read is left out with a line in the log; the rest stands.

    Raises:
        ProcessorError: the course itself, or a policy that may hide parts of it, cannot be read.
    """
    try:
        return _CourseReader(files).read()
    except (BrokenXML, UnreadableBlock, InvalidKeyError, KeyError, ValueError) as error:
        logger.warning("standalone.course.unreadable error=%s", type(error).__name__)
        raise ProcessorError(_("The course export cannot be read: its course.xml or its policy is broken.")) from error


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the course a block stands."""

    rules: Rules
    sequence: UsageKey | None = None
    in_unit: bool = False
    depth: int = 0


class _CourseReader:
    """Walks one export once, in reading order."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._entrance = parse_xml(files["course.xml"])
        self._run = attribute(self._entrance, "url_name")
        self._course_key = CourseLocator(
            attribute(self._entrance, "org"), attribute(self._entrance, "course"), self._run
        )
        self._policy = self._read_policy()
        self._language = ""
        self._blocks: dict[UsageKey, StoredBlock] = {}
        self._seen: set[UsageKey] = set()
        self._units: list[UsageKey] = []
        self._unit_ranges: dict[UsageKey, range] = {}
        self._sequences: dict[UsageKey, UsageKey] = {}

    def read(self) -> Course:
        definition = self._entrance
        if not len(definition):
            definition = parse_xml(self._files[f"course/{self._run}.xml"])
        metadata = self._metadata(self._entrance, definition)
        self._language = plain(metadata.get("language"))
        # The platform's key of a course block does not carry the run.
        root = self._store(self._course_key.make_usage_key("course", "course"), definition, metadata, _Place(Rules()))
        return Course(
            info=course_info(self._course_key, metadata, self._files),
            root=root,
            blocks=MappingProxyType(self._blocks),
            units=tuple(self._blocks[key] for key in self._units),
            unit_ranges=MappingProxyType(self._unit_ranges),
            sequences=MappingProxyType(self._sequences),
        )

    def _read_policy(self) -> Mapping[str, Mapping[str, str]]:
        data = self._files.get(f"policies/{self._run}/policy.json", self._files.get(f"policies/{self._run}.json"))
        # A policy may hide blocks: one that cannot be read must not open them.
        policy = parse_json(data) if data is not None else {}
        if not isinstance(policy, dict) or not all(isinstance(fields, dict) for fields in policy.values()):
            raise ValueError("the policy is not an object of objects")
        return {block: {name: as_text(value) for name, value in fields.items()} for block, fields in policy.items()}

    def _metadata(self, element: etree._Element, definition: etree._Element) -> Mapping[str, str]:
        written = {str(name): str(value) for name, value in (*definition.attrib.items(), *element.attrib.items())}
        return {**written, **self._policy.get(f"{element.tag}/{attribute(element, 'url_name')}", {})}

    def _read_children(self, category: str, definition: etree._Element, place: _Place) -> Iterator[StoredBlock]:
        for element in child_elements(category, definition, self._files):
            try:
                yield self._read_block(element, place)
            except (BrokenXML, UnreadableBlock, InvalidKeyError) as error:
                logger.warning(
                    "standalone.block.skipped course=%s block=%r reason=%s",
                    self._course_key,
                    f"{element.tag}/{attribute(element, 'url_name')}",
                    type(error).__name__,
                )

    def _read_block(self, element: etree._Element, place: _Place) -> StoredBlock:
        category = str(element.tag)
        block_id = (
            attribute(element, "url_name") or f"{category}_{hashlib.sha256(etree.tostring(element)).hexdigest()[:12]}"
        )
        usage_key = self._course_key.make_usage_key(category, block_id)
        if usage_key in self._seen or place.depth > _MAX_DEPTH:
            raise UnreadableBlock("met before, or nested too deep")
        self._seen.add(usage_key)
        definition = self._definition(element)
        return self._store(usage_key, definition, self._metadata(element, definition), place)

    def _definition(self, element: etree._Element) -> etree._Element:
        """The element itself, or the one in the file that it points to."""
        if not is_pointer(element):
            return element
        data = self._files.get(file_name(element))
        if data is None:
            raise UnreadableBlock("its file is missing")
        definition = parse_xml(data)
        if definition.tag != element.tag:
            raise UnreadableBlock("its file holds another kind of block")
        return definition

    def _store(
        self, usage_key: UsageKey, definition: etree._Element, metadata: Mapping[str, str], place: _Place
    ) -> StoredBlock:
        category = usage_key.block_type
        rules = place.rules.below(metadata)
        fields = block_fields(category, definition, metadata, self._files, self._language)
        if category in SEQUENCES:
            place = replace(place, sequence=usage_key)
        is_unit = not place.in_unit and category not in ABOVE_UNITS
        if is_unit:
            self._units.append(usage_key)
        # A block inside a unit stands for that unit, which is the last one begun.
        first = len(self._units) - (place.in_unit or is_unit)
        children_place = replace(
            place,
            rules=rules.for_children_of(category),
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
            children=tuple(self._read_children(category, definition, children_place)),
        )
        self._blocks[usage_key] = block
        self._unit_ranges[usage_key] = range(first, len(self._units))
        if place.sequence is not None:
            self._sequences[usage_key] = place.sequence
        return block
