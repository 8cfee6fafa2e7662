"""The platform interface inside the LMS and Studio."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeGuard

from opaque_keys.edx.keys import AsideUsageKey, CourseKey, LearningContextKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.edxapp.access import learner_link
from openedx_ai_extensions.edxapp.interface import Block, CourseInfo, OutlineNode, Person, RetrievalMode, Step
from openedx_ai_extensions.edxapp.platform.exams import is_in_exam, ways_to
from openedx_ai_extensions.edxapp.platform.imports import EdX
from openedx_ai_extensions.edxapp.platform.libraries import ContentLibraries
from openedx_ai_extensions.edxapp.platform.lms import Lms
from openedx_ai_extensions.edxapp.platform.tree import (
    AuthorTree,
    Tree,
    block_view,
    closed_blocks,
    outline,
    selected_units,
)
from openedx_ai_extensions.exceptions import ProcessorError


class Studio:
    """Answers for Studio, about people who are signed in and active."""

    def is_course_staff(self, user: Person, course_key: CourseKey) -> bool:
        return bool(EdX.has_course_author_access(user, course_key))

    def may_enter(self, user: Person, course_key: CourseKey) -> bool:
        return bool(EdX.has_studio_read_access(user, course_key))

    def has_course(self, course_key: CourseKey) -> bool:
        store = EdX.modulestore()
        return bool(store.has_item(store.make_course_usage_key(course_key)))

    def can_see_course(self, user: Person, course_key: CourseKey) -> bool:
        return self.may_enter(user, course_key) and self.has_course(course_key)

    def can_see_block(self, user: Person, usage_key: UsageKey) -> bool:
        return self.may_enter(user, usage_key.course_key) and EdX.modulestore().has_item(usage_key)

    def tree(self, user: Person, course_key: CourseKey) -> AuthorTree | None:
        """The course as all authors see it; None if it is closed to this person."""
        return AuthorTree(course_key) if self.can_see_course(user, course_key) else None


class OpenEdXPlatform(ContentLibraries):
    """The courses and libraries of the platform that this process belongs to: the LMS, or Studio if
    ``SERVICE_VARIANT`` is ``cms``.

    In the LMS, enrolled people and course staff see the published blocks that the platform shows them, as long as the
    course is open to them. In Studio, people with read access to a course see all of it, drafts included. Other people
    see nothing. Staff who masquerade are still staff here: the role they assume belongs to their browser's session.

    Any method raises ImproperlyConfigured if this release of the platform lacks something that the method needs.
    """

    def can_see_course(self, user: Person, course_key: CourseKey) -> bool:
        return _is_course(course_key) and _is_signed_in(user) and _service().can_see_course(user, course_key)

    def can_see_block(self, user: Person, usage_key: UsageKey) -> bool:
        if not (_is_block(usage_key) and _is_signed_in(user)):
            return False
        try:
            return _service().can_see_block(user, usage_key)
        except EdX.ItemNotFoundError:
            return False

    def is_course_staff(self, user: Person, course_key: CourseKey) -> bool:
        return _is_signed_in(user) and _service().is_course_staff(user, course_key)

    def course_info(self, course_key: CourseKey) -> CourseInfo:
        overviews = EdX.CourseOverview
        try:
            overview = overviews.get_from_id(course_key)
        except overviews.DoesNotExist:
            raise _no_such_course() from None
        with EdX.modulestore().bulk_operations(course_key):
            details = EdX.CourseDetails.fetch(course_key)
        return CourseInfo(
            course_key=course_key,
            title=overview.display_name or details.title or "",
            short_description=overview.short_description or details.short_description or "",
            description=details.description or "",
            overview=details.overview or "",
            syllabus=details.syllabus or "",
            language=overview.language or details.language or "",
            start=overview.start,
            end=overview.end,
        )

    def course_language(self, course_key: CourseKey) -> str:
        overviews = EdX.CourseOverview
        try:
            return overviews.get_from_id(course_key).language or "" if _is_course(course_key) else ""
        except overviews.DoesNotExist:
            return ""

    def course_outline(self, user: Person, course_key: CourseKey) -> Sequence[OutlineNode]:
        tree = _tree(user, course_key)
        if tree is None:
            return ()
        with tree.reading():
            if not tree.has(tree.root):
                return ()
            tree.prepare_outline()
            return outline(tree, tree.root)

    def content(self, user: Person, usage_key: UsageKey, mode: RetrievalMode) -> Sequence[Block]:
        with _reading(user, usage_key) as (tree, path):
            units = [block_view(tree, unit) for unit in selected_units(tree, path, mode) if tree.is_readable(unit)]
            if not tree.is_readable(usage_key):  # it was deleted or closed since it was listed
                raise _not_open()
            return units

    def closed_blocks(self, user: Person, usage_key: UsageKey, mode: RetrievalMode) -> Sequence[UsageKey]:
        with _reading(user, usage_key) as (tree, _path):
            if isinstance(tree, AuthorTree):
                return ()  # authors see everything
            everything = AuthorTree(tree.course_key)
            units = list(selected_units(everything, everything.path(usage_key), mode))
            return [key for unit in units for key in closed_blocks(everything, tree, unit)]

    def ways_to(self, usage_keys: Collection[UsageKey]) -> Mapping[UsageKey, Sequence[Step]]:
        keys = [key for key in usage_keys if _is_block(key)]
        return ways_to(keys[0].course_key, keys) if keys else {}

    def is_in_exam(self, user: Person) -> bool:
        return _is_signed_in(user) and is_in_exam(user)

    def block_link(self, usage_key: UsageKey) -> str:
        return learner_link(usage_key)


def _service() -> Lms | Studio:
    return Studio() if conf.service_variant() == "cms" else Lms()


def _tree(user: Person, course_key: LearningContextKey) -> Tree | None:
    """The course as this person sees it; None if it is closed to them.

    Raises:
        ProcessorError: there is no such course.
    """
    if not _is_course(course_key):
        raise _no_such_course()
    service = _service()
    try:
        tree = service.tree(user, course_key) if _is_signed_in(user) else None
    except EdX.ItemNotFoundError:
        raise _no_such_course() from None
    if tree is None and not service.has_course(course_key):
        raise _no_such_course()
    return tree


@contextmanager
def _reading(user: Person, usage_key: UsageKey) -> Iterator[tuple[Tree, Sequence[UsageKey]]]:
    """The course as this person sees it, while it is read, and the path to a location in it.

    Raises:
        ProcessorError: there is no such location, or this person may not see it.
    """
    tree = _tree(user, usage_key.context_key)
    if tree is None or not _is_block(usage_key):
        raise _not_open()
    try:
        with tree.reading():
            path = tree.path(usage_key)
            if not path:
                raise _not_open()
            tree.location_path = path
            yield tree, path
    except EdX.ItemNotFoundError:
        raise _not_open() from None


def _is_signed_in(user: Person) -> bool:
    return user.is_authenticated and user.is_active


def _is_block(usage_key: UsageKey) -> bool:
    """Is it a block of a course, and not an aside that another XBlock adds to it?"""
    return _is_course(usage_key.context_key) and not isinstance(usage_key, AsideUsageKey)


def _is_course(key: object) -> TypeGuard[CourseKey]:
    """Is it the key of a course, without a branch and a version?"""
    return (
        isinstance(key, CourseKey)
        and key.is_course
        and getattr(key, "branch", None) is None
        and getattr(key, "version_guid", None) is None
    )


def _no_such_course() -> ProcessorError:
    return ProcessorError(_("There is no such course."))


def _not_open() -> ProcessorError:
    return ProcessorError(_("This part of the course does not exist or is not open to you."))
