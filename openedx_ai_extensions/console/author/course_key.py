"""A course's key in an address."""

from __future__ import annotations

from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey


class CourseKeyConverter:
    """The key of a course as everyone knows it: none of a library, a branch or a version."""

    # As the platform finds them in its own addresses; keys of the oldest courses have slashes.
    regex = r"[^/+]+(?:/|\+)[^/+]+(?:/|\+)[^/?]+"

    def to_python(self, value: str) -> CourseKey:
        try:
            key = CourseKey.from_string(value)
        except InvalidKeyError:
            raise ValueError from None
        if not key.is_course or any(getattr(key, name, None) for name in ("branch", "version_guid")):
            raise ValueError
        return key

    def to_url(self, value: CourseKey) -> str:
        return str(value)
