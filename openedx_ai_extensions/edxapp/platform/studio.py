"""Who may see what in Studio: authors, all of their course, drafts included."""

from __future__ import annotations

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.platform.imports import (
    HAS_COURSE_AUTHOR_ACCESS,
    HAS_STUDIO_READ_ACCESS,
    MODULESTORE,
    load,
)
from openedx_ai_extensions.edxapp.platform.tree import AuthorTree


class Studio:
    """Answers for Studio. The people that it is asked about are signed in and active."""

    def is_course_staff(self, user: Person, course_key: CourseKey) -> bool:
        return bool(load(HAS_COURSE_AUTHOR_ACCESS)(user, course_key))

    def may_enter(self, user: Person, course_key: CourseKey) -> bool:
        return bool(load(HAS_STUDIO_READ_ACCESS)(user, course_key))

    def has_course(self, course_key: CourseKey) -> bool:
        store = load(MODULESTORE)()
        return bool(store.has_item(store.make_course_usage_key(course_key)))

    def can_see_course(self, user: Person, course_key: CourseKey) -> bool:
        return self.may_enter(user, course_key) and self.has_course(course_key)

    def can_see_block(self, user: Person, usage_key: UsageKey) -> bool:
        return self.may_enter(user, usage_key.course_key) and load(MODULESTORE)().has_item(usage_key)

    def tree(self, user: Person, course_key: CourseKey) -> AuthorTree | None:
        """The course as this person sees it; None when there is none for them."""
        if not self.can_see_course(user, course_key):
            return None
        # The same for every author.
        return AuthorTree(course_key, load(MODULESTORE)().make_course_usage_key(course_key))
