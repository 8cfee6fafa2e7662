"""Which profiles use a prompt, and so who may read and change it."""

from __future__ import annotations

from typing import Any

from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.api.v1.access import is_site_staff
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.exceptions import NotAllowed
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate


def profiles_using(prompt: PromptTemplate) -> list[AIWorkflowProfile]:
    """The profiles whose effective configuration names the prompt, by slug or UUID."""
    return [profile for profile in AIWorkflowProfile.objects.all() if prompt.is_used_in(profile.processor_config)]


def staffs_a_course_using(user: Any, prompt: PromptTemplate) -> bool:
    """Is this person staff of a course where an enabled scope uses the prompt?"""
    courses = [course for course in _courses_using(prompt) if course is not None]
    return user.is_active and any(get_platform().is_course_staff(user, course) for course in courses)


def require_editor(user: Any, prompt: PromptTemplate) -> None:
    """Site staff, and those who staff every course where the prompt is used: nobody rewrites another's tutor.

    Raises:
        NotAllowed: this person is neither; also when it is used in every course, or in none.
    """
    if is_site_staff(user):
        return
    courses = _courses_using(prompt)
    staffs_all = all(course is not None and get_platform().is_course_staff(user, course) for course in courses)
    if not user.is_active or not courses or not staffs_all:
        raise NotAllowed


def _courses_using(prompt: PromptTemplate) -> set[CourseKey | None]:
    """Courses of the enabled scopes; None stands for a scope of every course."""
    scopes = AIWorkflowScope.objects.filter(enabled=True, profile__in=profiles_using(prompt))
    return {scope.course_id for scope in scopes}
