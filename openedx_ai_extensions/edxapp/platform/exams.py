"""Where a course has exams, and whether a person takes one: in the platform, or in the separate exams service.

The platform's own tables do not contain the attempts of the exams service (edx-exams).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import httpx
from django.core.cache import cache
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.interface import EXAM_FIELDS, SEQUENCES, Person, Step
from openedx_ai_extensions.edxapp.platform.imports import EdX
from openedx_ai_extensions.edxapp.platform.tree import AuthorTree, reading

logger = logging.getLogger(__name__)

# A learner waits during the call, so it is short, and a service that is down is not called for a while.
TIMEOUT = 2.0  # seconds, as all below
_COURSES_CACHED = 60
_ANSWER_IS_FRESH = 5
_PAUSE_AFTER_FAILURE = 30
_ANSWER_CACHED = 3600

_CACHE_KEY = "openedx_ai_extensions:exams_service"
_RUNNING = ("started", "ready_to_submit")


def ways_to(course_key: CourseKey, usage_keys: Collection[UsageKey]) -> Mapping[UsageKey, Sequence[Step]]:
    """See ``Platform``. Reads the course itself, because a person's block structure may lack an exam."""
    is_studio = conf.service_variant() == "cms"
    with reading(course_key, drafts=is_studio):
        tree = AuthorTree(course_key)
        ways = {key: _steps(tree, key) for key in usage_keys}
    return {key: way for key, way in ways.items() if way}


def _steps(tree: AuthorTree, usage_key: UsageKey) -> Sequence[Step]:
    try:
        return [_step(tree, key) for key in tree.ancestors(usage_key)]
    except EdX.ItemNotFoundError:  # it was deleted meanwhile
        return ()


def _step(tree: AuthorTree, usage_key: UsageKey) -> Step:
    if usage_key.block_type not in SEQUENCES:
        return Step(usage_key)
    block = tree.block(usage_key)
    is_exam = any(getattr(block, name, False) for name in EXAM_FIELDS)
    return Step(usage_key, is_exam, getattr(block, "format", None) or "")


def is_in_exam(user: Person) -> bool:
    """Does this person have an attempt under way? Never if the platform has no timed and proctored exams."""
    if not conf.has_feature("ENABLE_SPECIAL_EXAMS"):
        return False
    has_attempt = find_spec("edx_proctoring") is not None and bool(EdX.get_active_exams_for_user(user.pk))
    return has_attempt or _has_attempt_in_service(user)


def _has_attempt_in_service(user: Person) -> bool:
    """If the service cannot be reached, its last answer about this person counts, and without one the person has no
    attempt. Exams themselves stay closed in any case, see ``ways_to``.
    """
    if not _has_courses_in_service(user):
        return False
    fresh, last = f"{_CACHE_KEY}:fresh:{user.pk}", f"{_CACHE_KEY}:last:{user.pk}"
    if not (cache.get(fresh) or cache.get(f"{_CACHE_KEY}:down")):
        try:
            answer = _ask_service(user)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # Not its text, which may contain headers.
            logger.warning("exams_service.unavailable error=%s", type(error).__name__)
            cache.set(f"{_CACHE_KEY}:down", True, _PAUSE_AFTER_FAILURE)
        else:
            cache.set(fresh, True, _ANSWER_IS_FRESH)
            cache.set(last, answer, _ANSWER_CACHED)
            return answer
    return bool(cache.get(last))


def _has_courses_in_service(user: Person) -> bool:
    """Does one of this person's courses have its exams in the service? Each course has a flag for it."""
    if not conf.get("EXAMS_SERVICE_URL"):
        return False
    key = f"{_CACHE_KEY}:courses:{user.pk}"
    has_courses: bool | None = cache.get(key)
    if has_courses is None:
        uses_service = EdX.exams_ida_enabled
        enrolments = EdX.CourseEnrollment.enrollments_for_user(user)
        has_courses = any(uses_service(enrolment.course_id) for enrolment in enrolments)
        cache.set(key, has_courses, _COURSES_CACHED)
    return has_courses


def _ask_service(user: Person) -> bool:
    """Is an attempt of this person running? Asked in the person's own name, as the learning micro-frontend does.

    Raises:
        httpx.HTTPError: no answer in time, or a refusal.
        ValueError: the answer is not one of this service.
    """
    token = EdX.create_jwt_for_user(user, scopes=["user_id"])
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
