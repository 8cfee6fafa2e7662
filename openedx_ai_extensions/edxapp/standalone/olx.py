"""Reads the files of an export as a ``Course``."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from django.utils.translation import gettext as _
from lxml import etree
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import ABOVE_UNITS, SEQUENCES, CourseInfo, Step
from openedx_ai_extensions.edxapp.safe_parsing import BrokenXML, attribute
from openedx_ai_extensions.edxapp.standalone.course import Course, Rules, StoredBlock, flag, is_exam, moment, plain
from openedx_ai_extensions.edxapp.standalone.definitions import (
    Definitions,
    DraftsFirst,
    UnreadableCourse,
    read_course_definition,
    read_drafts,
    read_policy,
    with_drafts,
)
from openedx_ai_extensions.edxapp.standalone.fields import UnreadableBlock, block_fields, child_elements
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

MAX_BLOCKS = 50_000
_MAX_DEPTH = 25
_MAX_NAME_CHARS = 255  # of the database columns for usage keys
_MAX_ATTRIBUTES = 1000  # of an element: the time that lxml takes for all of them is quadratic
_MAX_LOGGED_BLOCKS = 100


def read_course(files: Mapping[str, bytes], *, drafts: bool = False) -> Course:
    """Parse an export. A block that cannot be read is skipped and logged.

    Args:
        files: by name, from the folder of ``course.xml``.
        drafts: include drafts, for staff only, in place of the published blocks.

    Raises:
        ProcessorError: the course itself, or a policy that may hide parts of it, cannot be read.
    """
    try:
        return _CourseReader(files, drafts=drafts).read()
    except UnreadableCourse as error:
        logger.warning("standalone.course.unreadable reason=%s", error)
        raise ProcessorError(_("The course export cannot be read: %(why)s.") % {"why": error}) from error


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of a block in the course, and the files that define it."""

    files: Mapping[str, bytes]
    rules: Rules
    sequence: UsageKey | None = None
    in_unit: bool = False
    depth: int = 0


class _CourseReader:
    """Reads one export once, in reading order."""

    def __init__(self, files: Mapping[str, bytes], *, drafts: bool) -> None:
        self._files = files
        self._definitions = Definitions()
        self._drafts = read_drafts(files, self._definitions.parse) if drafts else {}
        self._draft_names = {draft.name for found in self._drafts.values() for draft in found}
        self._course = read_course_definition(files)
        self._course_key = self._course.course_key
        self._policy = read_policy(files, self._course.run)
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
        course = self._course
        try:
            metadata = self._metadata(course.pointer, course.element, f"course/{course.run}")
        except UnreadableBlock as error:
            raise UnreadableCourse(_("it contains too many elements")) from error
        self._language = plain(metadata.get("language"))
        # The platform's key of a course block does not name the run.
        key = self._course_key.make_usage_key("course", "course")
        root = self._store(key, course.element, metadata, _Place(self._files, Rules()))
        if self._skipped > _MAX_LOGGED_BLOCKS:
            logger.warning("standalone.course.skipped course=%s blocks=%d", self._course_key, self._skipped)
        return Course(
            info=_course_info(self._course_key, course.run, metadata, self._files),
            root=root,
            blocks=MappingProxyType(self._blocks),
            units=tuple(self._blocks[key] for key in self._units),
            unit_ranges=MappingProxyType(self._unit_ranges),
            sequences=MappingProxyType(self._sequences),
            parents=MappingProxyType(self._parents),
        )

    def _metadata(self, element: etree._Element, definition: etree._Element, name: str) -> Mapping[str, str]:
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
                raise UnreadableCourse(_("it contains too many blocks"))
            try:
                yield self._read_block(element, place)
            except (BrokenXML, UnreadableBlock) as error:
                self._skipped += 1
                if self._skipped <= _MAX_LOGGED_BLOCKS:
                    name = f"{element.tag}/{attribute(element, 'url_name')}"
                    # Names, and the reasons that contain them, may have any length.
                    logger.warning(
                        "standalone.block.skipped course=%s block=%.120r reason=%.120r",
                        self._course_key,
                        name,
                        str(error),
                    )

    def _read_block(self, element: etree._Element, place: _Place) -> StoredBlock:
        category, block_id = str(element.tag), self._name(element)
        if place.depth > _MAX_DEPTH or len(category) + len(block_id) > _MAX_NAME_CHARS:
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
        # Independent of the blocks before it, so that it is the same after a change of the export.
        name = f"{element.tag}_{hashlib.sha256(etree.tostring(element, with_tail=False)).hexdigest()[:12]}"
        self._unnamed[name] += 1
        return name if self._unnamed[name] == 1 else f"{name}_{self._unnamed[name]}"

    def _store(
        self, usage_key: UsageKey, definition: etree._Element, metadata: Mapping[str, str], place: _Place
    ) -> StoredBlock:
        category = usage_key.block_type
        rules = place.rules.of_child(metadata)
        fields = block_fields(usage_key, definition, metadata, place.files, self._language)
        if category in SEQUENCES:
            place = replace(place, sequence=usage_key)
        is_unit = not place.in_unit and category not in ABOVE_UNITS
        if is_unit:
            self._units.append(usage_key)
        # A block inside a unit has the range of that unit, which is the last one so far.
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
            step=Step(usage_key, is_exam(fields), plain(fields.get("format"))),
            in_outline=not flag(metadata.get("hide_from_toc")),
        )
        self._blocks[usage_key] = block
        self._parents.update((child.usage_key, usage_key) for child in block.children)
        self._unit_ranges[usage_key] = range(first, len(self._units))
        if place.sequence is not None:
            self._sequences[usage_key] = place.sequence
        return block


def _course_info(
    course_key: CourseKey, run: str, metadata: Mapping[str, str], files: Mapping[str, bytes]
) -> CourseInfo:
    """What the export says about the course. Pages of the run take precedence over those of all runs."""

    def about(name: str) -> str:
        names = (f"about/{run}/{name}.html", f"about/{name}.html")
        data = next((files[page] for page in names if page in files), b"")
        return data.decode("utf-8-sig", "replace").strip()

    return CourseInfo(
        course_key=course_key,
        title=plain(metadata.get("display_name")),
        short_description=about("short_description"),
        description=about("description"),
        overview=about("overview"),
        syllabus=about("syllabus"),
        language=plain(metadata.get("language")),
        start=_date_or_none(metadata.get("start")),
        end=_date_or_none(metadata.get("end")),
    )


def _date_or_none(value: str | None) -> datetime | None:
    try:
        return moment(value)
    except ValueError:
        return None
