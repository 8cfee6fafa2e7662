"""The backend over course exports, which are kept in memory and read again when their files change."""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.access import learner_link
from openedx_ai_extensions.edxapp.interface import (
    ABOVE_UNITS,
    Block,
    CourseInfo,
    OutlineNode,
    Person,
    RetrievalMode,
    Step,
)
from openedx_ai_extensions.edxapp.standalone.course import Course, StoredBlock
from openedx_ai_extensions.edxapp.standalone.export import Fingerprint, fingerprint, read_export
from openedx_ai_extensions.edxapp.standalone.libraries import LibraryFolders
from openedx_ai_extensions.edxapp.standalone.olx import read_course
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

EVERYONE = "*"


class _Role(enum.Enum):
    NONE = enum.auto()
    LEARNER = enum.auto()
    STAFF = enum.auto()


@dataclass(frozen=True, slots=True)
class _View:
    """What people with a role in a course see now."""

    course: Course
    role: _Role
    now: datetime

    def sees(self, block: StoredBlock) -> bool:
        return self.role is _Role.STAFF or (self.role is _Role.LEARNER and block.is_open(self.now))

    def block(self, block: StoredBlock) -> Block:
        return Block(
            usage_key=block.usage_key,
            category=block.category,
            display_name=block.display_name,
            fields=block.fields,
            answers_visible=block.answers_open <= self.now,
            children=tuple(self.block(child) for child in block.children if self.sees(child)),
        )

    def closed(self, block: StoredBlock) -> Iterator[UsageKey]:
        """The outermost blocks, from this one down, that are hidden."""
        if not self.sees(block):
            yield block.usage_key
            return
        for child in block.children:
            yield from self.closed(child)

    def outline(self, parent: StoredBlock) -> tuple[OutlineNode, ...]:
        """The blocks below one, down to its units."""
        return tuple(
            OutlineNode(
                usage_key=block.usage_key,
                category=block.category,
                display_name=block.display_name,
                children=self.outline(block) if block.category in ABOVE_UNITS else (),
            )
            for block in parent.children
            if self.sees(block) and (block.in_outline or self.role is _Role.STAFF)
        )

    def units(self, usage_key: UsageKey, mode: RetrievalMode) -> Sequence[StoredBlock]:
        """All units that a mode selects around a location, hidden ones included.

        Raises:
            ProcessorError: the location does not exist or is hidden.
        """
        course = self.course
        location = course.blocks.get(usage_key)
        if location is None or not self.sees(location):
            raise ProcessorError(_("This part of the course does not exist or is not open to you."))
        if mode == RetrievalMode.SEQUENCE:
            usage_key = course.sequences.get(usage_key, usage_key)
        positions = course.unit_ranges[usage_key]
        first = 0 if mode == RetrievalMode.UP_TO_CURRENT_UNIT else positions.start
        return course.units[first : positions.stop]


class StandalonePlatform(LibraryFolders):
    """The courses in the exports that ``AI_EXTENSIONS_STANDALONE["COURSES"]`` lists.

    Site staff and the staff of a course see all of it. Learners see what is open to everyone: nothing that is for staff
    or for some groups only, not open yet, timed, or different for each learner. Other people see nothing. Only staff in
    Studio see drafts that were not published.

    Content libraries are the folders that ``AI_EXTENSIONS_STANDALONE["LIBRARIES"]`` lists.

    Args:
        check_interval: in seconds, between two checks whether the exports have changed.
    """

    def __init__(self, check_interval: float = 2.0) -> None:
        super().__init__()
        self._entries = [_CourseEntry.from_setting(entry) for entry in conf.get("AI_EXTENSIONS_STANDALONE.COURSES")]
        self._check_interval = check_interval
        self._next_check = 0.0
        self._lock = threading.Lock()
        # By key, with drafts or without. Readers in other threads get either all old courses or all new ones.
        self._courses: Mapping[CourseKey, tuple[_CourseEntry, Course]] | None = None
        self._drafts = False

    def can_see_course(self, user: Person, course_key: CourseKey) -> bool:
        view = self._view_or_none(user, course_key)
        return view is not None and view.sees(view.course.root)

    def can_see_block(self, user: Person, usage_key: UsageKey) -> bool:
        view = self._view_or_none(user, usage_key.course_key)
        block = view.course.blocks.get(usage_key) if view else None
        return view is not None and block is not None and view.sees(block)

    def is_course_staff(self, user: Person, course_key: CourseKey) -> bool:
        if _is_site_staff(user):
            return True
        view = self._view_or_none(user, course_key)
        return view is not None and view.role is _Role.STAFF

    def course_info(self, course_key: CourseKey) -> CourseInfo:
        return self._view(None, course_key).course.info

    def course_language(self, course_key: CourseKey) -> str:
        view = self._view_or_none(None, course_key)
        return view.course.info.language if view else ""

    def course_outline(self, user: Person, course_key: CourseKey) -> Sequence[OutlineNode]:
        view = self._view(user, course_key)
        return view.outline(view.course.root) if view.sees(view.course.root) else ()

    def content(self, user: Person, usage_key: UsageKey, mode: RetrievalMode) -> Sequence[Block]:
        view = self._view(user, usage_key.course_key)
        return [view.block(unit) for unit in view.units(usage_key, mode) if view.sees(unit)]

    def closed_blocks(self, user: Person, usage_key: UsageKey, mode: RetrievalMode) -> Sequence[UsageKey]:
        view = self._view(user, usage_key.course_key)
        return [key for unit in view.units(usage_key, mode) for key in view.closed(unit)]

    def ways_to(self, usage_keys: Collection[UsageKey]) -> Mapping[UsageKey, Sequence[Step]]:
        views = {key: self._view_or_none(None, key.course_key) for key in usage_keys}
        return {key: way for key, view in views.items() if view and (way := view.course.way_to(key))}

    def is_in_exam(self, user: Person) -> bool:
        return any(user.get_username() in entry.in_exam for entry in self._entries)

    def block_link(self, usage_key: UsageKey) -> str:
        return learner_link(usage_key)

    def _view(self, user: Person | None, course_key: CourseKey) -> _View:
        """Raises ProcessorError: there is no such course."""
        view = self._view_or_none(user, course_key)
        if view is None:
            unreadable = next((entry.error for entry in self._entries if entry.error), None)
            raise unreadable or ProcessorError(_("There is no such course."))
        return view

    def _view_or_none(self, user: Person | None, course_key: CourseKey) -> _View | None:
        drafts = conf.service_variant() == "cms"
        courses = self._courses
        if courses is None or drafts != self._drafts or time.monotonic() >= self._next_check:
            courses = self._refreshed(drafts)
        if course_key not in courses:
            return None
        entry, course = courses[course_key]
        return _View(course, _Role.NONE if user is None else entry.role(user), datetime.now(UTC))

    def _refreshed(self, drafts: bool) -> Mapping[CourseKey, tuple[_CourseEntry, Course]]:
        # While one thread reads, the others use the old courses; they wait only for the first reading.
        is_first = self._courses is None or drafts != self._drafts
        if not self._lock.acquire(blocking=is_first):
            return self._courses or {}
        try:
            if self._courses is not None and drafts == self._drafts and time.monotonic() < self._next_check:
                return self._courses
            changed = False
            courses: dict[CourseKey, tuple[_CourseEntry, Course]] = {}
            for entry in self._entries:
                changed |= entry.refresh(drafts=drafts)
                if entry.course is None:
                    continue
                course_key = entry.course.info.course_key
                if course_key in courses and changed:
                    logger.warning("standalone.course.duplicate course=%s path=%s", course_key, entry.path)
                courses.setdefault(course_key, (entry, entry.course))
            self._courses, self._drafts = courses, drafts
            self._next_check = time.monotonic() + self._check_interval
            return courses
        finally:
            self._lock.release()


def _is_site_staff(user: Person) -> bool:
    is_staff = user.is_staff or bool(getattr(user, "is_superuser", False))
    return user.is_authenticated and user.is_active and is_staff


@dataclass(slots=True)
class _CourseEntry:
    """One entry of the setting.

    Attributes:
        staff, learners: usernames; ``*`` among the learners stands for everyone who is signed in.
        in_exam: usernames of people who take an exam.
        course: the last one that was read without an error.
        error: why the current export cannot be read.
        fingerprint, drafts: of the last export that was read.
    """

    path: Path
    staff: frozenset[str]
    learners: frozenset[str]
    in_exam: frozenset[str]
    course: Course | None = None
    error: ProcessorError | None = None
    fingerprint: Fingerprint | None = field(default=None, repr=False)
    drafts: bool = False

    @classmethod
    def from_setting(cls, entry: Mapping[str, Any]) -> _CourseEntry:
        stated = [entry.get(name) or () for name in ("staff", "learners", "in_exam")]
        staff, learners, in_exam = (frozenset([names] if isinstance(names, str) else names) for names in stated)
        return cls(Path(entry["path"]), staff, learners, in_exam)

    def role(self, user: Person) -> _Role:
        if not (user.is_authenticated and user.is_active):
            return _Role.NONE
        username = user.get_username()
        if _is_site_staff(user) or username in self.staff:
            return _Role.STAFF
        return _Role.LEARNER if not self.learners.isdisjoint({username, EVERYONE}) else _Role.NONE

    def refresh(self, *, drafts: bool) -> bool:
        """Read the export if it changed; the course is kept if that fails. Returns whether it changed."""
        current = fingerprint(self.path, with_drafts=drafts)
        if current == self.fingerprint and drafts == self.drafts:
            return False
        self.fingerprint, self.drafts, self.error = current, drafts, None
        try:
            self.course = read_course(read_export(self.path, with_drafts=drafts), drafts=drafts)
        except ProcessorError as error:
            logger.error("standalone.course.unavailable path=%s error=%s", self.path, error)
            self.error = error
        return True
