"""Addresses of places in a course."""

from __future__ import annotations

from urllib.parse import quote

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf


def learner_link(usage_key: UsageKey) -> str:
    """Where a learner reads this block: in the learning micro-frontend, or where there is none in the LMS."""
    course, block = _in_path(usage_key.course_key), _in_path(usage_key)
    learning = conf.get("LEARNING_MICROFRONTEND_URL")
    if learning:
        return f"{learning.rstrip('/')}/course/{course}/{block}"
    return f"{(conf.get('LMS_ROOT_URL') or '').rstrip('/')}/courses/{course}/jump_to/{block}"


def _in_path(key: CourseKey | UsageKey) -> str:
    # Legal in a path, and what people know keys by; anything else, a slash included, would change where it leads.
    return quote(str(key), safe=":+@")
