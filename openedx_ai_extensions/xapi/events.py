"""Sends workflow events to the tracker, and repairs its allow-lists at start-up, if event routing is installed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from eventtracking import tracker
from eventtracking.django.django_tracker import override_default_tracker
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.feedback.models import AnswerFeedback
from openedx_ai_extensions.xapi.allow_list import BACKENDS, allow_events
from openedx_ai_extensions.xapi.constants import EVENT_RATED, EVENT_REPORTED

logger = logging.getLogger(__name__)

_CONTEXT = "openedx_ai_extensions"


def emit(
    event: str,
    *,
    user: Person,
    workflow_id: str,
    action: str,
    course_id: str | None,
    profile_name: str,
    location_id: str | None,
    usage: Mapping[str, int],
    prompt_template_slug: str | None = None,
) -> None:
    """Emit an event of a workflow.

    Errors of a backend or learning record store are logged by the tracker and do not reach the caller.

    Args:
        event: one of ``constants.EVENTS``.
        user: the person who asked.
        workflow_id: the scope's id.
        action: the published action that ran.
        course_id, location_id: key strings, or None.
        profile_name: the profile's slug.
        usage: token counts as the provider reported them; may be empty.
        prompt_template_slug: the prompt template in use, if any.
    """
    data: dict[str, Any] = {
        "workflow_id": workflow_id,
        "action": action,
        "course_id": course_id,
        "profile_name": profile_name,
        "location_id": location_id,
        "user_id": user.pk,
        "usage": dict(usage),
    }
    if prompt_template_slug:
        data["prompt_template_slug"] = prompt_template_slug
    _emit(event, data, user, course_id)


def emit_feedback(user: Person, feedback: AnswerFeedback, changes: Collection[str]) -> None:
    """Emit the events of a rating and of a report, if these are new. They contain no text.

    Args:
        changes: the names of the changed fields.
    """
    course_id = str(feedback.course_id) or None
    data = {
        "run_id": feedback.run_id,
        "action": feedback.action,
        "course_id": course_id,
        "location_id": str(feedback.location_id) or None,
        "profile_name": feedback.profile_slug,
        "profile_version": feedback.profile_version,
        "user_id": user.pk,
        "rating": feedback.rating,
        "reason": feedback.reason,
    }
    if feedback.rating and "rating" in changes:
        _emit(EVENT_RATED, data, user, course_id)
    if feedback.reported and "reported" in changes:
        _emit(EVENT_REPORTED, data, user, course_id)


def _emit(name: str, data: dict[str, Any], user: Person, course_id: str | None) -> None:
    try:
        current = tracker.get_tracker()
    except KeyError:
        # EVENT_TRACKING_ENABLED is off.
        logger.debug("xapi.emit.skipped event=%s reason=no_tracker", name)
        return
    context = {"user_id": user.pk, "username": user.get_username()}
    if course_id:
        # Research exports split tracking logs by organisation.
        context |= {"course_id": course_id, "org_id": CourseKey.from_string(course_id).org}
    # The URL names no course, so the request's context has none; a stream may end after the request's context.
    with current.context(_CONTEXT, context):
        current.emit(name, data)


def ensure_events_allowed() -> None:
    """Allow our events again, in case the settings were replaced after ours had run.

    Event routing's production settings, or a patch that runs last, may have replaced what ``plugin_settings`` set. The
    tracker may have been built from these already, so it is rebuilt. If nothing was replaced, nothing happens.
    """
    before = getattr(settings, BACKENDS, None)
    allow_events(settings)
    if getattr(settings, BACKENDS, None) != before:
        override_default_tracker()
