"""Workflows that the staff of a course have turned off there. It is a pause, of a kind of its own.

What the site's own pauses say stays as it is: course staff lift what course staff set, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.policy.models import AIPause
from openedx_ai_extensions.workflows.models import AIWorkflowProfile

logger = logging.getLogger(__name__)


def switched_off(course_key: CourseKey) -> Mapping[int, AIPause]:
    """By the id of the profile: what is turned off in a course, and by whom."""
    rows = AIPause.objects.filter(course_id=course_key, is_of_course_staff=True, enabled=True)
    return {row.profile_id: row for row in _of(rows.select_related("switched_by"), course_key) if row.profile_id}


@transaction.atomic
def turn_off(user: Person, course_key: CourseKey, profile: AIWorkflowProfile) -> AIPause:
    """This profile answers nobody in this course from now on, in the LMS and in Studio."""
    found = _rows(course_key, profile)
    pause = found[0] if found else AIPause(course_id=course_key, profile=profile, is_of_course_staff=True)
    _switch(pause, user, enabled=True)
    return pause


@transaction.atomic
def turn_on(user: Person, course_key: CourseKey, profile: AIWorkflowProfile) -> list[AIPause]:
    """Take back ``turn_off``. The pauses that were lifted: two people may have turned it off at once."""
    lifted = [pause for pause in _rows(course_key, profile) if pause.enabled]
    for pause in lifted:
        _switch(pause, user, enabled=False)
    return lifted


def _switch(pause: AIPause, user: Person, *, enabled: bool) -> None:
    pause.enabled, pause.switched_at, pause.switched_by_id = enabled, timezone.now(), user.pk
    pause.save()
    logger.info("pause.switched pause=%s enabled=%s user=%s", pause.pk, enabled, user.pk)


def _rows(course_key: CourseKey, profile: AIWorkflowProfile) -> list[AIPause]:
    return _of(AIPause.objects.filter(course_id=course_key, profile=profile, is_of_course_staff=True), course_key)


def _of(rows: object, course_key: CourseKey) -> list[AIPause]:
    # Some databases compare without case: keys are exact.
    return [row for row in rows if row.course_id == course_key]  # type: ignore[attr-defined]
