"""Which profiles use a prompt, and who may therefore read and change it."""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils.translation import gettext as _
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core.redaction import REDACTED, configured_secrets, masked_text
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.access import is_site_staff
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import InvalidRequest, NotAllowed
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.workflows.models import AIWorkflowProfile, AIWorkflowScope

MAX_COURSES = 20


def profiles_using(prompt: PromptTemplate) -> list[AIWorkflowProfile]:
    """The profiles whose effective configuration names the prompt, by slug or UUID."""
    return [profile for profile in AIWorkflowProfile.objects.all() if prompt.is_used_in(profile.processor_config)]


def courses_using(prompt: PromptTemplate) -> set[CourseKey | None]:
    """Courses of the enabled scopes; None stands for a scope of every course."""
    scopes = AIWorkflowScope.objects.filter(enabled=True, profile__in=profiles_using(prompt))
    return {scope.course_id or None for scope in scopes}


def staffs_a_course_using(user: Person, prompt: PromptTemplate) -> bool:
    """Is this person staff of a course in which an enabled scope uses the prompt?

    False if more than ``MAX_COURSES`` courses use it: each course costs a query, and any learner can send such a
    request.
    """
    courses = [course for course in courses_using(prompt) if course is not None]
    is_askable = user.is_active and len(courses) <= MAX_COURSES
    return is_askable and any(get_platform().is_course_staff(user, course) for course in courses)


def version_of(body: str) -> str:
    """A hash that identifies a version of the text."""
    return hashlib.sha256(body.encode()).hexdigest()


def may_edit(user: Person, prompt: PromptTemplate) -> bool:
    """May this person edit the prompt? Site staff may, and people who are staff of every course that uses the prompt.

    Only site staff may edit a prompt that is used in every course or in none.
    """
    if is_site_staff(user):
        return True
    courses = courses_using(prompt)
    staffs_all = all(course is not None and get_platform().is_course_staff(user, course) for course in courses)
    return user.is_active and bool(courses) and staffs_all


def readable_body(prompt: PromptTemplate, user: Any) -> str:
    """The text with its credentials masked, unless the user may change prompts in the admin."""
    if user.has_perm("openedx_ai_extensions.change_prompttemplate"):
        return prompt.body
    return masked_text(prompt.body, configured_secrets())


def require_no_mask(prompt: PromptTemplate, body: str) -> None:
    """Refuse to store a text whose credentials were masked.

    Raises:
        InvalidRequest: the text contains the mask.
    """
    if REDACTED in body and REDACTED not in prompt.body:
        raise InvalidRequest(
            _("[REDACTED] stands for a credential that you may not see. Remove it, or ask the site's operators.")
        )


def require_editor(user: Person, prompt: PromptTemplate) -> None:
    """Raise an error unless ``may_edit``.

    Raises:
        NotAllowed: the person may not edit the prompt.
    """
    if not may_edit(user, prompt):
        raise NotAllowed
