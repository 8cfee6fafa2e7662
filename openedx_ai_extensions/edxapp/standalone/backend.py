"""The platform interface over course exports."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from django.utils.translation import gettext as _
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.interface import Block, CourseInfo, OutlineNode, Person, RetrievalMode, Step
from openedx_ai_extensions.edxapp.links import learner_link
from openedx_ai_extensions.edxapp.standalone.course import ABOVE_UNITS, Course, StoredBlock
from openedx_ai_extensions.edxapp.standalone.libraries import LibraryFolders
from openedx_ai_extensions.edxapp.standalone.library import EVERYONE, CourseEntry, Library
from openedx_ai_extensions.edxapp.standalone.rules import is_exam
from openedx_ai_extensions.edxapp.standalone.values import plain
from openedx_ai_extensions.exceptions import ProcessorError


class _Role(enum.Enum):
    NOBODY = enum.auto()
    LEARNER = enum.auto()
    STAFF = enum.auto()


class StandalonePlatform(LibraryFolders):
    """Courses out of the exports that ``AI_EXTENSIONS_STANDALONE["COURSES"]`` lists.

    Site staff and the staff of a course see all of it. Learners see what is open to everyone: nothing that is for staff
    or for some groups only, not open yet, timed, or different for each learner. Nobody else sees anything. Unpublished
    drafts are there for staff in Studio only.

    Content libraries are the folders that ``AI_EXTENSIONS_STANDALONE["LIBRARIES"]`` lists.

    Args:
        check_interval: seconds between two looks whether the exports have changed.
    """

    def __init__(self, check_interval: float = 2.0) -> None:
        super().__init__()
        self._library = Library(conf.get("AI_EXTENSIONS_STANDALONE.COURSES"), check_interval)

    def can_see_course(self, user: Person, course_key: CourseKey) -> bool:
        found = self._library.find(course_key)
        return found is not None and _sees(_role(user, found[0]), found[1].root, _now())

    def can_see_block(self, user: Person, usage_key: UsageKey) -> bool:
        found = self._library.find(usage_key.course_key)
        block = found[1].blocks.get(usage_key) if found else None
        return found is not None and block is not None and _sees(_role(user, found[0]), block, _now())

    def is_course_staff(self, user: Person, course_key: CourseKey) -> bool:
        if not (user.is_authenticated and user.is_active):
            return False
        if _is_site_staff(user):
            return True
        found = self._library.find(course_key)
        return found is not None and _role(user, found[0]) is _Role.STAFF

    def course_info(self, course_key: CourseKey) -> CourseInfo:
        return self._course(course_key)[1].info

    def course_outline(self, user: Person, course_key: CourseKey) -> Sequence[OutlineNode]:
        entry, course = self._course(course_key)
        role, now = _role(user, entry), _now()
        return _outline(course.root, role, now) if _sees(role, course.root, now) else ()

    def content(self, user: Person, usage_key: UsageKey, mode: RetrievalMode) -> Sequence[Block]:
        units, role, now = self._units(user, usage_key, mode)
        return [_view(unit, role, now) for unit in units if _sees(role, unit, now)]

    def closed_blocks(self, user: Person, usage_key: UsageKey, mode: RetrievalMode) -> Sequence[UsageKey]:
        units, role, now = self._units(user, usage_key, mode)
        return [key for unit in units for key in _closed(unit, role, now)]

    def ways_to(self, usage_keys: Collection[UsageKey]) -> Mapping[UsageKey, Sequence[Step]]:
        return {key: way for key in usage_keys if (way := self._way_to(key))}

    def is_in_exam(self, user: Person) -> bool:
        return self._library.is_in_exam(user.get_username())

    def block_link(self, usage_key: UsageKey) -> str:
        return learner_link(usage_key)

    def _way_to(self, usage_key: UsageKey) -> list[Step]:
        found = self._library.find(usage_key.course_key)
        way = found[1].way_to(usage_key) if found else []
        return [Step(block.usage_key, is_exam(block.fields), plain(block.fields.get("format"))) for block in way]

    def _units(
        self, user: Person, usage_key: UsageKey, mode: RetrievalMode
    ) -> tuple[list[StoredBlock], _Role, datetime]:
        """All units that a mode selects around a location, and as whom and when they are to be seen."""
        entry, course = self._course(usage_key.course_key)
        role, now = _role(user, entry), _now()
        location = course.blocks.get(usage_key)
        if location is None or not _sees(role, location, now):
            raise ProcessorError(_("This part of the course does not exist or is not open to you."))
        return [course.units[position] for position in _selected(course, usage_key, mode)], role, now

    def _course(self, course_key: CourseKey) -> tuple[CourseEntry, Course]:
        found = self._library.find(course_key)
        if found is None:
            raise self._library.error() or ProcessorError(_("There is no such course."))
        return found


def _now() -> datetime:
    return datetime.now(UTC)


def _is_site_staff(user: Person) -> bool:
    return user.is_staff or bool(getattr(user, "is_superuser", False))


def _role(user: Person, entry: CourseEntry) -> _Role:
    if not (user.is_authenticated and user.is_active):
        return _Role.NOBODY
    username = user.get_username()
    if _is_site_staff(user) or username in entry.staff:
        return _Role.STAFF
    return _Role.LEARNER if username in entry.learners or EVERYONE in entry.learners else _Role.NOBODY


def _sees(role: _Role, block: StoredBlock, now: datetime) -> bool:
    return role is _Role.STAFF or (role is _Role.LEARNER and block.is_open(now))


def _selected(course: Course, usage_key: UsageKey, mode: RetrievalMode) -> range:
    """Positions of the units that a mode selects around a location."""
    if mode == RetrievalMode.SEQUENCE:
        return course.unit_ranges[course.sequences.get(usage_key, usage_key)]
    here = course.unit_ranges[usage_key]
    return range(here.stop) if mode == RetrievalMode.UP_TO_CURRENT_UNIT else here


def _view(block: StoredBlock, role: _Role, now: datetime) -> Block:
    """A block as this role sees it now."""
    return Block(
        usage_key=block.usage_key,
        category=block.category,
        display_name=block.display_name,
        fields=block.fields,
        answers_visible=block.answers_open <= now,
        children=tuple(_view(child, role, now) for child in block.children if _sees(role, child, now)),
    )


def _closed(block: StoredBlock, role: _Role, now: datetime) -> Iterator[UsageKey]:
    """The topmost blocks, from this one down, that this role doesn't see now."""
    if not _sees(role, block, now):
        yield block.usage_key
        return
    for child in block.children:
        yield from _closed(child, role, now)


def _outline(parent: StoredBlock, role: _Role, now: datetime) -> tuple[OutlineNode, ...]:
    """The blocks below one, as far down as its units."""
    return tuple(
        OutlineNode(
            usage_key=block.usage_key,
            category=block.category,
            display_name=block.display_name,
            children=_outline(block, role, now) if block.category in ABOVE_UNITS else (),
        )
        for block in parent.children
        if _sees(role, block, now) and (block.in_outline or role is _Role.STAFF)
    )
