"""What a diagnosis says, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core.hooks import Problem, Severity
from openedx_ai_extensions.workflows.models import AIWorkflowScope
from openedx_ai_extensions.workflows.trace import Loss, Standing

LOSSES: Mapping[Loss, Promise] = {
    Loss.NOT_ENABLED: gettext_lazy("It is not enabled."),
    Loss.OTHER_SERVICE: gettext_lazy("It is for the other service: {service}."),
    Loss.OTHER_SLOT: gettext_lazy("It is for another slot: {slot}."),
    Loss.OTHER_COURSE: gettext_lazy("It is for another course: {course}."),
    Loss.ONLY_IN_COURSES: gettext_lazy("It does not answer outside of courses, and the widget names no course."),
    Loss.NO_MATCH: gettext_lazy("Its pattern does not match this location: {pattern}"),
    Loss.NO_LOCATION: gettext_lazy("It has a pattern, and the widget names no location: {pattern}"),
    Loss.TOO_SLOW: gettext_lazy("Its pattern takes too long, so it matches nothing: {pattern}"),
    Loss.INVALID: gettext_lazy("Its pattern is not valid, so it matches nothing: {pattern}"),
    Loss.LESS_SPECIFIC: gettext_lazy("It would answer here, but it is less specific than the scope that does."),
    Loss.OLDER: gettext_lazy("It would answer here and is as specific, but it is older than the scope that does."),
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


def loss_texts(standing: Standing) -> list[str]:
    """Why this scope doesn't answer."""
    scope = standing.scope
    return [
        str(LOSSES[loss]).format(
            service=scope.get_service_variant_display(),
            slot=scope.ui_slot_selector_id or _("none"),
            course=scope.course_id,
            pattern=scope.location_regex,
        )
        for loss in standing.losses
    ]


def problem_text(problem: Problem) -> str:
    """The problem with its severity in front."""
    # "$" is the whole configuration: a path to it says nothing.
    words = problem.message if problem.path == "$" else str(problem)
    return (_("Error: {problem}") if problem.severity is Severity.ERROR else _("Warning: {problem}")).format(
        problem=words
    )
