"""Places in courses, and whether a person may see one: the same rules for every door."""

from __future__ import annotations

from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import InvalidRequest


def may_see(user: Person, course_key: CourseKey | None, usage_key: UsageKey | None) -> bool:
    """May this person see this place, now? Anywhere is allowed outside of courses.

    Args:
        user: who asks; nobody who is inactive sees anything.
        course_key: of the course, None outside of courses.
        usage_key: of the location, None for the course itself.
    """
    if not user.is_active:
        return False
    platform = get_platform()
    if usage_key is not None:
        return platform.can_see_block(user, usage_key)
    return course_key is None or platform.can_see_course(user, course_key)


def parse_place(course_id: str, location_id: str) -> tuple[CourseKey | None, UsageKey | None]:
    """A course and a location in it as keys; an empty text is None, but a location always has its course.

    Raises:
        InvalidRequest: a text is no key, or the location is not in this course; the message names the field.
    """
    course_key = _course_key(course_id) if course_id else None
    if not location_id:
        return course_key, None
    usage_key = _usage_key(location_id)
    if course_key is not None and usage_key.context_key != course_key:
        raise InvalidRequest(_("location_id does not belong to course_id."))
    return usage_key.course_key, usage_key


def _course_key(value: str) -> CourseKey:
    try:
        return CourseKey.from_string(value)
    except InvalidKeyError:
        raise InvalidRequest(_("course_id is not a course key.")) from None


def _usage_key(value: str) -> UsageKey:
    try:
        key = UsageKey.from_string(value)
    except InvalidKeyError:
        raise InvalidRequest(_("location_id is not a location.")) from None
    course = key.context_key
    # Locations of the oldest courses do not say which run they are in.
    if not isinstance(course, CourseKey) or not course.is_course or course.run is None:
        raise InvalidRequest(_("location_id is not a location in a course."))
    return key
