"""Who may see what in the LMS: those to whom a course is open, and what the platform's course blocks hold for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar, cast

from django.http import Http404
from edx_django_utils.cache import RequestCache
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.platform.imports import (
    COURSE_ACCESS_REDIRECT,
    COURSE_ENROLLMENT,
    ENROLLMENT_STATE,
    GET_COURSE_WITH_ACCESS,
    HAS_ACCESS,
    MODULESTORE,
    MODULESTORE_ENUM,
    load,
)
from openedx_ai_extensions.edxapp.platform.structure import Structure
from openedx_ai_extensions.edxapp.platform.tree import LearnerTree

# A request ends what it knew. What runs on after it, such as a stream or a run in the background, looks again by then.
_KNOWN = 10.0  # seconds

Answer = TypeVar("Answer")


class Lms:
    """Answers for the LMS. The people that it is asked about are signed in and active."""

    def is_course_staff(self, user: Person, course_key: CourseKey) -> bool:
        return bool(load(HAS_ACCESS)(user, "staff", course_key))

    def has_course(self, course_key: CourseKey) -> bool:
        store = load(MODULESTORE)()
        with store.branch_setting(load(MODULESTORE_ENUM).Branch.published_only, course_key):
            return bool(store.has_item(store.make_course_usage_key(course_key)))

    def can_see_course(self, user: Person, course_key: CourseKey) -> bool:
        """Is the course open to this person? Whatever closes the platform's own pages to them closes it here too."""
        return _once("open", user, course_key, lambda: self._is_open(user, course_key))

    def can_see_block(self, user: Person, usage_key: UsageKey) -> bool:
        """Raises ItemNotFoundError: no such course, or no such block any more."""
        store = load(MODULESTORE)()
        # Within one reading the course itself is fetched once, whoever asks for it.
        with (
            store.branch_setting(load(MODULESTORE_ENUM).Branch.published_only, usage_key.course_key),
            store.bulk_operations(usage_key.course_key),
        ):
            tree = self.tree(user, usage_key.course_key)
            return tree is not None and tree.has(usage_key) and tree.is_readable(usage_key)

    def tree(self, user: Person, course_key: CourseKey) -> LearnerTree | None:
        """The course as this person sees it; None when it is closed to them.

        Raises:
            ItemNotFoundError: no such course.
        """
        structure = self._structure(user, course_key)
        return None if structure is None else LearnerTree(course_key, structure, user)

    def _is_open(self, user: Person, course_key: CourseKey) -> bool:
        if not (_is_enrolled(user, course_key) or self.is_course_staff(user, course_key)):
            return False
        try:
            # Enrolment is known by now, and to ask for it again takes three queries: is the course a public one?
            load(GET_COURSE_WITH_ACCESS)(user, "load", course_key)
        except (Http404, load(COURSE_ACCESS_REDIRECT)):
            return False
        return True

    def _structure(self, user: Person, course_key: CourseKey) -> Structure | None:
        if not self.can_see_course(user, course_key):
            return None
        root = load(MODULESTORE)().make_course_usage_key(course_key)
        return _once("structure", user, course_key, lambda: Structure(user, course_key, root))


def _is_enrolled(user: Person, course_key: CourseKey) -> bool:
    """In one query, for the platform's own functions too: some ask next for the row, and some for what it says."""
    enrolments = load(COURSE_ENROLLMENT)
    enrolment = enrolments.get_enrollment(user, course_key, ["fbeenrollmentexclusion"])
    if enrolment is None:
        return False
    state = load(ENROLLMENT_STATE)(enrolment.mode, enrolment.is_active)
    RequestCache(enrolments.MODE_CACHE_NAMESPACE).set((user.pk, course_key), state)
    return bool(enrolment.is_active)


def _once(question: str, user: Person, course_key: CourseKey, ask: Callable[[], Answer]) -> Answer:
    """The answer that this request has had already, if it is still fresh."""
    cache = RequestCache(__name__)
    about = (user.pk, user.get_username(), course_key)
    known = cache.get_cached_response(question)
    if known.is_found:
        last_about, until, answer = known.value
        if last_about == about and time.monotonic() < until:
            return cast("Answer", answer)
    answer = ask()
    # One of a kind: where no middleware ends a request, nothing piles up.
    cache.set(question, (about, time.monotonic() + _KNOWN, answer))
    return answer
