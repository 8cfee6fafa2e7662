"""Who may see what in the LMS: those who take part in a course, and what the platform's course blocks show them."""

from __future__ import annotations

from django.http import Http404
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.platform.imports import (
    COURSE_ACCESS_REDIRECT,
    COURSE_ENROLLMENT,
    GET_COURSE_BLOCKS,
    GET_COURSE_WITH_ACCESS,
    HAS_ACCESS,
    MODULESTORE,
    load,
)
from openedx_ai_extensions.edxapp.platform.tree import LearnerTree


class Lms:
    """Answers for the LMS. The people that it is asked about are signed in and active."""

    def is_course_staff(self, user: Person, course_key: CourseKey) -> bool:
        return bool(load(HAS_ACCESS)(user, "staff", course_key))

    def may_enter(self, user: Person, course_key: CourseKey) -> bool:
        """Enrolled or staff: the platform's other questions do not ask for that."""
        return load(COURSE_ENROLLMENT).is_enrolled(user, course_key) or self.is_course_staff(user, course_key)

    def can_see_course(self, user: Person, course_key: CourseKey) -> bool:
        if not self.may_enter(user, course_key):
            return False
        try:
            load(GET_COURSE_WITH_ACCESS)(user, "load", course_key)
        except (Http404, load(COURSE_ACCESS_REDIRECT)):
            return False
        return True

    def can_see_block(self, user: Person, usage_key: UsageKey) -> bool:
        """Raises ItemNotFoundError: no such course."""
        course_key = usage_key.course_key
        return self.may_enter(user, course_key) and self.tree(user, course_key).has(usage_key)

    def tree(self, user: Person, course_key: CourseKey) -> LearnerTree:
        """The course as this person sees it.

        Raises:
            ItemNotFoundError: no such course.
        """
        structure = load(GET_COURSE_BLOCKS)(user, load(MODULESTORE)().make_course_usage_key(course_key))
        return LearnerTree(course_key, structure)
