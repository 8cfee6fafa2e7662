"""The whole answer to "why here?": the scope, its profile, and what stands in the way."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.console.diagnosis.person import About, Check, PersonLocation, checks
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.hooks import Problem
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.policy import RefusalReason
from openedx_ai_extensions.workflows.models import AIWorkflowScope, load_candidates
from openedx_ai_extensions.workflows.resolution import first_match
from openedx_ai_extensions.workflows.trace import (
    Explanation,
    NonMatchReason,
    ResolutionQuery,
    ScopeExplanation,
    explain,
)
from openedx_ai_extensions.workflows.unmatched_slots import UnmatchedSlot, unmatched

LOSSES: Mapping[NonMatchReason, Promise] = {
    NonMatchReason.NOT_ENABLED: gettext_lazy("It is not enabled."),
    NonMatchReason.OTHER_SERVICE: gettext_lazy("It is for the other service: {service}."),
    NonMatchReason.OTHER_SLOT: gettext_lazy("It is for another slot: {slot}."),
    NonMatchReason.OTHER_COURSE: gettext_lazy("It is for another course: {course}."),
    NonMatchReason.ONLY_IN_COURSES: gettext_lazy(
        "It does not answer outside of courses, and the widget names no course."
    ),
    NonMatchReason.NO_MATCH: gettext_lazy("Its pattern does not match this location: {pattern}"),
    NonMatchReason.NO_LOCATION: gettext_lazy("It has a pattern, and the widget names no location: {pattern}"),
    NonMatchReason.TOO_SLOW: gettext_lazy("Its pattern takes too long, so it matches nothing: {pattern}"),
    NonMatchReason.INVALID: gettext_lazy("Its pattern is not valid, so it matches nothing: {pattern}"),
    NonMatchReason.LESS_SPECIFIC: gettext_lazy(
        "It would answer here, but it is less specific than the scope that does."
    ),
    NonMatchReason.OLDER: gettext_lazy(
        "It would answer here and is as specific, but it is older than the scope that does."
    ),
}
MOST_UNSERVED = 50


def scope_title(scope: AIWorkflowScope) -> str:
    """A scope in one line, for links and messages."""
    parts = [
        str(scope.course_id) if scope.course_id else _("every course"),
        scope.ui_slot_selector_id or _("no slot"),
        scope.get_service_variant_display(),
    ]
    if scope.outside_courses:
        parts.append(_("outside of courses too"))
    if scope.location_regex:
        parts.append(scope.location_regex)
    if not scope.enabled:
        parts.append(_("not enabled"))
    return " · ".join(parts)


def reason_texts(explained: ScopeExplanation) -> list[str]:
    """Why this scope doesn't answer."""
    scope = explained.scope
    return [
        str(LOSSES[reason]).format(
            service=scope.get_service_variant_display(),
            slot=scope.ui_slot_selector_id or _("none"),
            course=scope.course_id,
            pattern=scope.location_regex,
        )
        for reason in explained.reasons
    ]


class Diagnosed(enum.StrEnum):
    """What becomes of the widget."""

    NO_SCOPE = "no_scope"
    BROKEN = "broken"
    NOT_SEEN = "not_seen"
    NOT_FOR_PERSON = "not_for_person"
    OFF = "off"
    QUIET = "quiet"
    NO_CONSENT = "no_consent"
    USED_UP = "used_up"
    READY = "ready"


OUTCOMES: dict[Diagnosed, Promise] = {
    Diagnosed.NO_SCOPE: gettext_lazy("The widget shows nothing: no scope answers here."),
    Diagnosed.BROKEN: gettext_lazy("The widget shows nothing: a scope answers here, but its profile is broken."),
    Diagnosed.NOT_SEEN: gettext_lazy("The widget shows nothing: this person may not see this place."),
    Diagnosed.NOT_FOR_PERSON: gettext_lazy("The widget shows nothing: this workflow is not for this person."),
    Diagnosed.OFF: gettext_lazy("The widget shows nothing: the site's rules stop AI here."),
    Diagnosed.QUIET: gettext_lazy("The widget shows up, and says that it is quiet hours."),
    Diagnosed.NO_CONSENT: gettext_lazy("The widget shows up, and asks for consent before it is used."),
    Diagnosed.USED_UP: gettext_lazy("The widget shows up, but the next request is refused: a limit is used up."),
    Diagnosed.READY: gettext_lazy("The widget shows up and answers."),
}
STOPS = {
    About.SIGHT: Diagnosed.NOT_SEEN,
    About.USE: Diagnosed.NOT_FOR_PERSON,
    About.RULES: Diagnosed.OFF,
    About.CONSENT: Diagnosed.NO_CONSENT,
    About.LIMITS: Diagnosed.USED_UP,
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a widget gets at a place, and why.

    Attributes:
        outcome: what becomes of the widget.
        problems: of the winner's profile, errors and warnings.
        checks: what may stand in the way; empty when this process can't tell.
        is_elsewhere: it was asked about the other service, whose platform and rules this process doesn't know.
    """

    question: ResolutionQuery
    explanation: Explanation
    outcome: Diagnosed
    problems: Sequence[Problem]
    checks: Sequence[Check]
    is_elsewhere: bool

    @property
    def text(self) -> str:
        return str(OUTCOMES[self.outcome])

    @property
    def is_usable(self) -> bool:
        winner = self.explanation.winner
        return winner is not None and winner.profile.is_usable


def diagnose(
    course_key: CourseKey | None, usage_key: UsageKey | None, slot: str, variant: str, user: Person | None = None
) -> Diagnosis:
    """Why a widget gets what it gets.

    Args:
        course_key: None outside of courses.
        usage_key: None when the widget names no location; its course goes before ``course_key``.
        slot: that the widget asks with.
        variant: ``lms`` or ``cms``.
        user: for whom; None for nobody in particular.
    """
    course_key = usage_key.course_key if usage_key else course_key
    question = ResolutionQuery(str(course_key or ""), str(usage_key) if usage_key else None, slot, variant)
    explanation = explain(question)
    winner = explanation.winner
    profile = winner.profile if winner else None
    is_elsewhere = variant != conf.service_variant()
    found = [] if is_elsewhere else checks(PersonLocation(course_key, usage_key, profile), user)
    return Diagnosis(
        question=question,
        explanation=explanation,
        outcome=_outcome(explanation, found),
        problems=profile.problems() if profile else (),
        checks=found,
        is_elsewhere=is_elsewhere,
    )


def _outcome(explanation: Explanation, found: Sequence[Check]) -> Diagnosed:
    """The first that stands in the way, in the order in which a request meets them."""
    if explanation.winner is None:
        return Diagnosed.NO_SCOPE
    if not explanation.winner.profile.is_usable:
        return Diagnosed.BROKEN
    first = next((check for check in found if check.stops), None)
    if first is None:
        return Diagnosed.READY
    return Diagnosed.QUIET if first.reason == RefusalReason.QUIET_HOURS else STOPS[first.about]


def asked_in_vain() -> list[UnmatchedSlot]:
    """The slots that widgets asked for lately and that no scope serves everywhere in that course by now."""
    return list(islice(_still_unserved(), MOST_UNSERVED))


def _still_unserved() -> Iterator[UnmatchedSlot]:
    for entry in unmatched()[:MOST_UNSERVED]:
        found = first_match(load_candidates(entry.course_id, entry.slot, entry.variant), None)
        if found is None or not found.row.instance(None).profile.is_usable:
            yield entry
