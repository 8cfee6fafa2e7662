"""The platform of this site, and the places in its courses: their keys, their addresses, and who may see them."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from django.contrib.auth import get_user_model
from django.core.signals import setting_changed
from django.utils.module_loading import import_string
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import AsideUsageKey, CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.edxapp.interface import Person, Platform
from openedx_ai_extensions.exceptions import InvalidRequest


def get_platform() -> Platform:
    """The backend that the setting ``AI_EXTENSIONS_BACKEND`` names; one instance per process.

    The default is the platform's own backend inside edx-platform, and the standalone one elsewhere.
    """
    return _backend(conf.get("AI_EXTENSIONS_BACKEND"))


@lru_cache(maxsize=1)
def _backend(dotted_path: str) -> Platform:
    backend: Platform = import_string(dotted_path)()
    return backend


def _forget_backend(*, setting: str, **_kwargs: object) -> None:
    if setting.startswith(("AI_EXTENSIONS_BACKEND", "AI_EXTENSIONS_STANDALONE")):
        _backend.cache_clear()


setting_changed.connect(_forget_backend)


def may_see(user: Person, course_key: CourseKey | None, usage_key: UsageKey | None) -> bool:
    """May this person see this place now? Inactive people see nothing; others see everything outside of courses.

    Args:
        user: the person.
        course_key: the course; None outside of courses.
        usage_key: the location; None for the course itself.
    """
    if not user.is_active:
        return False
    platform = get_platform()
    if usage_key is not None:
        return platform.can_see_block(user, usage_key)
    return course_key is None or platform.can_see_course(user, course_key)


def find_user(username: str) -> Person:
    """The user with this username.

    Raises:
        InvalidRequest: there is none.
    """
    users = get_user_model()
    try:
        return users._default_manager.get_by_natural_key(username)
    except users.DoesNotExist:
        raise InvalidRequest(_("There is no user with the username {username}.").format(username=username)) from None


def is_site_staff(user: Person) -> bool:
    """Is this person staff of the whole site, and active?"""
    return user.is_active and user.is_staff


def parse_place(
    course_id: str | None, location_id: str | None, *, names: tuple[str, str] = ("course_id", "location_id")
) -> tuple[CourseKey | None, UsageKey | None]:
    """The keys of a course and of a location in it. None stays None, but a location always has its course.

    Args:
        course_id: a course key as text.
        location_id: a usage key as text.
        names: the names of the two fields, for error messages.

    Raises:
        InvalidRequest: a text is not a key, or the location is not in this course; the message names the field.
    """
    course_name, location_name = names
    try:
        course_key = None if course_id is None else CourseKey.from_string(course_id)
    except InvalidKeyError:
        raise InvalidRequest(_("{field} is not a course key.").format(field=course_name)) from None
    if location_id is None:
        return course_key, None
    usage_key = _usage_key(location_id, location_name)
    if course_key is not None and usage_key.context_key != course_key:
        raise InvalidRequest(
            _("{location} does not belong to {course}.").format(location=location_name, course=course_name)
        )
    return usage_key.course_key, usage_key


def _usage_key(value: str, name: str) -> UsageKey:
    try:
        key = UsageKey.from_string(value)
    except InvalidKeyError:
        raise InvalidRequest(_("{field} is not a location.").format(field=name)) from None
    course = key.context_key
    # Locations of the oldest courses do not name the run.
    is_course = isinstance(course, CourseKey) and course.is_course and course.run is not None
    if not is_course or isinstance(key, AsideUsageKey):
        raise InvalidRequest(_("{field} is not a location in a course.").format(field=name))
    return key


def learner_link(usage_key: UsageKey) -> str:
    """The address of this block for learners: in the learning micro-frontend, or without one in the LMS."""
    # These characters are allowed in a path, and people know keys by them. Others, also slashes, would change the path.
    course, block = (quote(str(key), safe=":+@") for key in (usage_key.course_key, usage_key))
    learning = conf.get("LEARNING_MICROFRONTEND_URL")
    if learning:
        return f"{learning.rstrip('/')}/course/{course}/{block}"
    return f"{(conf.get('LMS_ROOT_URL') or '').rstrip('/')}/courses/{course}/jump_to/{block}"
