"""Workflows that course staff have turned off in their course, stored as pauses.

Course staff can lift only pauses that course staff have set, not those of the site.
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
    """The pauses set by the staff of a course, by profile id."""
    rows = AIPause.objects.filter(course_id=course_key, is_of_course_staff=True, enabled=True)
    return {row.profile_id: row for row in _of(rows.select_related("switched_by"), course_key) if row.profile_id}


@transaction.atomic
def turn_off(user: Person, course_key: CourseKey, profile: AIWorkflowProfile) -> AIPause:
    """Turn a profile off in a course, in the LMS and in Studio."""
    found = _rows(course_key, profile)
    pause = found[0] if found else AIPause(course_id=course_key, profile=profile, is_of_course_staff=True)
    _switch(pause, user, enabled=True)
    return pause


@transaction.atomic
def turn_on(user: Person, course_key: CourseKey, profile: AIWorkflowProfile) -> list[AIPause]:
    """Undo ``turn_off``. Returns the lifted pauses; concurrent requests may have created several."""
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
    # Some databases compare case-insensitively; course keys are case-sensitive.
    return [row for row in rows if row.course_id == course_key]  # type: ignore[attr-defined]
