"""Who may call what: the platform decides."""

from __future__ import annotations

from typing import Any

from openedx_ai_extensions.api.v1.context import RequestContext
from openedx_ai_extensions.edxapp import access, get_platform
from openedx_ai_extensions.exceptions import NotAllowed
from openedx_ai_extensions.runtime import runner

is_site_staff = access.is_site_staff


def may_see(user: Any, context: RequestContext) -> bool:
    """May this person see where the request comes from, now? Anywhere is allowed outside of courses."""
    return access.may_see(user, context.course_key, context.usage_key)


def require_can_view(user: Any, context: RequestContext) -> None:
    """As ``runtime.runner.require_can_view``."""
    runner.require_can_view(user, context.course_key, context.usage_key)


def require_course_staff(user: Any, context: RequestContext) -> None:
    """Raises NotAllowed unless this person is site staff, or course staff of the context's course."""
    if not (is_site_staff(user) or is_staff_of(user, context)):
        raise NotAllowed


def is_staff_of(user: Any, context: RequestContext) -> bool:
    return (
        user.is_active and context.course_key is not None and get_platform().is_course_staff(user, context.course_key)
    )
