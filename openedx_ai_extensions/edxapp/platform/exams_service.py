"""Attempts that the separate exams service (edx-exams) holds: the platform's own tables do not know them."""

from __future__ import annotations

import logging
from typing import Any

import httpx
from django.core.cache import cache

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.platform.imports import COURSE_ENROLLMENT, CREATE_JWT, USES_EXAMS_SERVICE, load

logger = logging.getLogger(__name__)

# Seconds. A learner waits during the call, so it is short, and a service that is down is not called for a while.
TIMEOUT = 2.0
_COURSES_HOLD = 60
_ANSWER_HOLDS = 5
_NOT_CALLED = 30
_LAST_ANSWER_IS_KEPT = 3600

_KEY = "openedx_ai_extensions:exams_service"
_RUNNING = ("started", "ready_to_submit")


def has_attempt(user: Person) -> bool:
    """Has this person an attempt under way there?

    If the service cannot be reached, its last answer about this person counts, and without one the person has no
    attempt. Exams themselves stay closed in any case, see ``ways_to``.
    """
    if not _has_courses_there(user):
        return False
    fresh, last = f"{_KEY}:fresh:{user.pk}", f"{_KEY}:last:{user.pk}"
    if not (cache.get(fresh) or cache.get(f"{_KEY}:down")):
        try:
            answer = _ask(user)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # Not its text, which may have headers in it.
            logger.warning("exams_service.unavailable error=%s", type(error).__name__)
            cache.set(f"{_KEY}:down", True, _NOT_CALLED)
        else:
            cache.set(fresh, True, _ANSWER_HOLDS)
            cache.set(last, answer, _LAST_ANSWER_IS_KEPT)
            return answer
    return bool(cache.get(last))


def _has_courses_there(user: Person) -> bool:
    """Is one of this person's courses one whose exams are in the service? Each course says so by a flag."""
    if not conf.get("EXAMS_SERVICE_URL"):
        return False
    key = f"{_KEY}:courses:{user.pk}"
    has_courses: bool | None = cache.get(key)
    if has_courses is None:
        uses_service = load(USES_EXAMS_SERVICE)
        enrolments = load(COURSE_ENROLLMENT).enrollments_for_user(user)
        has_courses = any(uses_service(enrolment.course_id) for enrolment in enrolments)
        cache.set(key, has_courses, _COURSES_HOLD)
    return has_courses


def _ask(user: Person) -> bool:
    """As the learning micro-frontend does: in the person's own name, for the attempt whose clock is running.

    Raises:
        httpx.HTTPError: no answer in time, or a refusal.
        ValueError: an answer that is none of this service.
    """
    token = load(CREATE_JWT)(user, scopes=["user_id"])
    response = httpx.get(
        f"{conf.get('EXAMS_SERVICE_URL').rstrip('/')}/exams/attempt/latest",
        headers={"Authorization": f"JWT {token}", "Accept": "application/json"},
        timeout=TIMEOUT,
    )
    if response.status_code != httpx.codes.OK:
        raise ValueError(response.status_code)
    attempt: Any = response.json()
    if not isinstance(attempt, dict):
        raise ValueError("no attempt")
    return attempt.get("attempt_status") in _RUNNING
