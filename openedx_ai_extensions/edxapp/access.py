"""Places in courses, and whether a person may see one: the same rules for every door."""

from __future__ import annotations

from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import AsideUsageKey, CourseKey, UsageKey

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


def is_site_staff(user: Person) -> bool:
    """Is this person staff of the whole site, and active?"""
    return user.is_active and user.is_staff


def parse_place(
    course_id: str | None,
    location_id: str | None,
    *,
    names: tuple[str, str] = ("course_id", "location_id"),
) -> tuple[CourseKey | None, UsageKey | None]:
    """A course and a location in it as keys; None stays None, but a location always has its course.

    Args:
        course_id: text of a course key.
        location_id: text of a usage key.
        names: what whoever asks calls the two.

    Raises:
        InvalidRequest: a text is no key, or the location is not in this course; the message names the field.
    """
    course_name, location_name = names
    course_key = None if course_id is None else _course_key(course_id, course_name)
    if location_id is None:
        return course_key, None
    usage_key = _usage_key(location_id, location_name)
    if course_key is not None and usage_key.context_key != course_key:
        raise InvalidRequest(
            _("{location} does not belong to {course}.").format(location=location_name, course=course_name)
        )
    return usage_key.course_key, usage_key


def _course_key(value: str, name: str) -> CourseKey:
    try:
        return CourseKey.from_string(value)
    except InvalidKeyError:
        raise InvalidRequest(_("{field} is not a course key.").format(field=name)) from None


def _usage_key(value: str, name: str) -> UsageKey:
    try:
        key = UsageKey.from_string(value)
    except InvalidKeyError:
        raise InvalidRequest(_("{field} is not a location.").format(field=name)) from None
    course = key.context_key
    # Locations of the oldest courses do not say which run they are in.
    is_course = isinstance(course, CourseKey) and course.is_course and course.run is not None
    if not is_course or isinstance(key, AsideUsageKey):
        raise InvalidRequest(_("{field} is not a location in a course.").format(field=name))
    return key
