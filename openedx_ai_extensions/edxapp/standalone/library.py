"""The courses that the settings list, kept in memory and read again when their files change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.standalone.course import Course
from openedx_ai_extensions.edxapp.standalone.export import Fingerprint, fingerprint, read_export
from openedx_ai_extensions.edxapp.standalone.olx import read_course
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

EVERYONE = "*"


@dataclass(slots=True)
class CourseEntry:
    """One entry of the setting.

    Attributes:
        staff, learners: usernames; ``*`` among the learners stands for every signed-in person.
        in_exam: usernames of those who sit an exam.
        course: what was last read without an error.
        error: why the export as it is now cannot be read.
        fingerprint, drafts: of what was last read.
    """

    path: Path
    staff: frozenset[str]
    learners: frozenset[str]
    in_exam: frozenset[str] = frozenset()
    course: Course | None = None
    error: ProcessorError | None = None
    fingerprint: Fingerprint | None = field(default=None, repr=False)
    drafts: bool = False

    @classmethod
    def from_setting(cls, entry: Mapping[str, Any]) -> CourseEntry:
        staff, learners, in_exam = (_usernames(entry.get(name)) for name in ("staff", "learners", "in_exam"))
        return cls(Path(entry["path"]), staff, learners, in_exam)

    def refresh(self, *, drafts: bool) -> bool:
        """Read the export again if it changed. One that cannot be read leaves the course as it was.

        Args:
            drafts: unpublished work belongs to it.

        Returns:
            Whether it changed.
        """
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


class Library:
    """All courses by key. Safe for threads: readers see the whole old state or the whole new one.

    In Studio a course is as its authors see it, with their unpublished work; in the LMS it is what was published.

    Args:
        entries: the setting ``AI_EXTENSIONS_STANDALONE["COURSES"]``.
        check_interval: seconds between two looks at the files.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]], check_interval: float) -> None:
        self._entries = [CourseEntry.from_setting(entry) for entry in entries]
        self._check_interval = check_interval
        self._next_check = 0.0
        self._lock = threading.Lock()
        self._courses: Mapping[CourseKey, tuple[CourseEntry, Course]] | None = None
        self._drafts = False

    def find(self, course_key: CourseKey) -> tuple[CourseEntry, Course] | None:
        """The course and its entry, or None when there is no such course."""
        drafts = conf.service_variant() == "cms"
        courses = self._courses
        if courses is None or drafts != self._drafts or time.monotonic() >= self._next_check:
            courses = self._refreshed(drafts)
        return courses.get(course_key)

    def is_in_exam(self, username: str) -> bool:
        """Does this person sit an exam in any of the courses?"""
        return any(username in entry.in_exam for entry in self._entries)

    def error(self) -> ProcessorError | None:
        """Why a configured export cannot be read, if one cannot."""
        return next((entry.error for entry in self._entries if entry.error), None)

    def _refreshed(self, drafts: bool) -> Mapping[CourseKey, tuple[CourseEntry, Course]]:
        # While one thread reads, the others go on with what there is; only the very first reading holds them up.
        is_first = self._courses is None or drafts != self._drafts
        if not self._lock.acquire(blocking=is_first):
            return self._courses or {}
        try:
            if self._courses is not None and drafts == self._drafts and time.monotonic() < self._next_check:
                return self._courses
            changed = False
            courses: dict[CourseKey, tuple[CourseEntry, Course]] = {}
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


def _usernames(value: str | Iterable[str] | None) -> frozenset[str]:
    return frozenset([value] if isinstance(value, str) else value or ())
