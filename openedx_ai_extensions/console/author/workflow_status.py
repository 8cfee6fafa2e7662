"""Is a workflow on in a course, and if not, why and until when."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger.quota import readable_time
from openedx_ai_extensions.models import AIPause, AIWorkflowProfile
from openedx_ai_extensions.policy.pauses import Pause, course_wide_pauses


class WorkflowState(enum.StrEnum):
    """In a word."""

    ON = "on"
    PARTLY = "partly"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class WorkflowStatus:
    """How a workflow stands in a course.

    Attributes:
        reasons: why it is off, or off at some places; in words.
        switch: with which the course's staff turned it off; None when they did not.
    """

    state: WorkflowState
    reasons: Sequence[str]
    switch: AIPause | None

    @property
    def word(self) -> str:
        return {WorkflowState.ON: _("On"), WorkflowState.PARTLY: _("Off in some places"), WorkflowState.OFF: _("Off")}[
            self.state
        ]


def status_of(
    profile: AIWorkflowProfile, course_key: CourseKey, switch: AIPause | None, pauses: Sequence[Pause]
) -> WorkflowStatus:
    """As a request of nobody in particular finds it.

    Args:
        switch: with which the course's staff turned it off, if they did.
        pauses: all that there are.
    """
    now = timezone.now()
    reasons = [] if profile.is_usable else [_("Its configuration is broken. The site's operators have to mend it.")]
    if not conf.get("AI_EXTENSIONS_ENABLED"):
        reasons.append(_("AI is switched off on the whole site."))
    reasons += [_reason(pause, switch, now) for pause in course_wide_pauses(pauses, course_key, profile.pk, now)]
    if reasons:
        return WorkflowStatus(WorkflowState.OFF, reasons, switch)
    at_places = [
        _("Paused for learners at some places by the site's operators: where “{pattern}” matches.").format(
            pattern=pause.location_regex
        )
        for pause in pauses
        if pause.location_regex and pause.applies_to(course_key, profile.pk) and pause.is_active_at(now)
    ]
    return WorkflowStatus(WorkflowState.PARTLY if at_places else WorkflowState.ON, at_places, switch)


def _reason(pause: Pause, switch: AIPause | None, now: datetime) -> str:
    if pause.is_of_course_staff:
        return _switched(switch) if switch else _("Turned off for this course by its staff.")
    text = _what(pause)
    until = pause.end_after(now)
    if until is not None:
        ends = _("It ends {time}.").format(time=readable_time(until))
        text = f"{text} {ends}"
    if pause.message:
        said = _("People read: “{message}”").format(message=pause.message)
        text = f"{text} {said}"
    return text


def _what(pause: Pause) -> str:
    if pause.has_hours:
        return _("There are quiet hours now.")
    if pause.profile_id is not None:
        return _("The site's operators have paused this workflow.")
    if pause.course_id is not None:
        return _("The site's operators have paused all AI in this course.")
    return _("The site's operators have paused all AI on the site.")


def _switched(switch: AIPause) -> str:
    when = formats.date_format(timezone.localtime(switch.switched_at), "DATETIME_FORMAT") if switch.switched_at else ""
    if switch.switched_by is None:
        return _("Turned off for this course by its staff: {time}").format(time=when)
    return _("Turned off for this course by {name}: {time}").format(name=switch.switched_by.get_username(), time=when)
