"""What a diagnosis says, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.workflows.models import AIWorkflowScope
from openedx_ai_extensions.workflows.trace import NonMatchReason, ScopeExplanation

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


def problem_text(problem: Problem) -> str:
    """The problem with its severity in front."""
    # "$" is the whole configuration: a path to it says nothing.
    words = problem.message if problem.path == "$" else str(problem)
    return (_("Error: {problem}") if problem.severity is Severity.ERROR else _("Warning: {problem}")).format(
        problem=words
    )
