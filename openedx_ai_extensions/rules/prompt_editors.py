"""Which profiles use a prompt, and so who may read and change it."""

from __future__ import annotations

from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.access import is_site_staff
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import NotAllowed
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.workflows.models import AIWorkflowProfile, AIWorkflowScope


def profiles_using(prompt: PromptTemplate) -> list[AIWorkflowProfile]:
    """The profiles whose effective configuration names the prompt, by slug or UUID."""
    return [profile for profile in AIWorkflowProfile.objects.all() if prompt.is_used_in(profile.processor_config)]


def courses_using(prompt: PromptTemplate) -> set[CourseKey | None]:
    """Courses of the enabled scopes; None stands for a scope of every course."""
    scopes = AIWorkflowScope.objects.filter(enabled=True, profile__in=profiles_using(prompt))
    return {scope.course_id or None for scope in scopes}


def staffs_a_course_using(user: Person, prompt: PromptTemplate) -> bool:
    """Is this person staff of a course where an enabled scope uses the prompt?"""
    courses = [course for course in courses_using(prompt) if course is not None]
    return user.is_active and any(get_platform().is_course_staff(user, course) for course in courses)


def may_edit(user: Person, prompt: PromptTemplate) -> bool:
    """Site staff, and those who staff every course where the prompt is used: nobody rewrites another's tutor.

    Nobody but site staff when it is used in every course, or in none.
    """
    if is_site_staff(user):
        return True
    courses = courses_using(prompt)
    staffs_all = all(course is not None and get_platform().is_course_staff(user, course) for course in courses)
    return user.is_active and bool(courses) and staffs_all


def require_editor(user: Person, prompt: PromptTemplate) -> None:
    """As ``may_edit`` says.

    Raises:
        NotAllowed: this person may not.
    """
    if not may_edit(user, prompt):
        raise NotAllowed
