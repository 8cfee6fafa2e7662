"""Explains which scope answers at a place, and why the others do not.

Uses the criteria, the order and the pattern matching of the resolution.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from openedx_ai_extensions.workflows.models import AIWorkflowScope, load_candidates
from openedx_ai_extensions.workflows.resolution import (
    ORDER,
    Criterion,
    Match,
    compare,
    criteria,
    first_match,
    in_order,
    is_exact,
)

MAX_SCOPES = 100  # explained scopes; those with the fewest unmet conditions come first


class NonMatchReason(enum.StrEnum):
    """Why a scope does not answer."""

    NOT_ENABLED = "not_enabled"
    OTHER_SERVICE = "other_service"
    OTHER_SLOT = "other_slot"
    OTHER_COURSE = "other_course"
    ONLY_IN_COURSES = "only_in_courses"
    NO_MATCH = "no_match"
    NO_LOCATION = "no_location"
    TOO_SLOW = "too_slow"
    INVALID = "invalid"
    LESS_SPECIFIC = "less_specific"
    OLDER = "older"


REASON_BY_CRITERION = {
    Criterion.ENABLED: NonMatchReason.NOT_ENABLED,
    Criterion.SERVICE: NonMatchReason.OTHER_SERVICE,
    Criterion.SLOT: NonMatchReason.OTHER_SLOT,
    Criterion.COURSE: NonMatchReason.OTHER_COURSE,
    Criterion.OUTSIDE: NonMatchReason.ONLY_IN_COURSES,
}
REASON_BY_MATCH = {
    Match.NO: NonMatchReason.NO_MATCH,
    Match.NO_LOCATION: NonMatchReason.NO_LOCATION,
    Match.TOO_SLOW: NonMatchReason.TOO_SLOW,
    Match.INVALID: NonMatchReason.INVALID,
}
REASON_BY_ORDER = {"specificity_index": NonMatchReason.LESS_SPECIFIC, "id": NonMatchReason.OLDER}


@dataclass(frozen=True, slots=True)
class ResolutionQuery:
    """The context of a widget's request; a location always has its course."""

    course_id: str
    location_id: str | None
    slot: str
    variant: str


@dataclass(frozen=True, slots=True)
class ScopeExplanation:
    """A scope, and why it does not answer: its unmet conditions, or the reason why the winner takes precedence."""

    scope: AIWorkflowScope
    reasons: tuple[NonMatchReason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result of a resolution.

    Attributes:
        winner: the scope that answers, or None.
        others: the other scopes, the nearest first; at most ``MAX_SCOPES``.
        omitted: the number of further scopes.
    """

    winner: AIWorkflowScope | None
    others: Sequence[ScopeExplanation]
    omitted: int


def explain(question: ResolutionQuery) -> Explanation:
    """Resolve as a request does, without the caches, and explain all scopes."""
    course_id, slot, variant = question.course_id, question.slot, question.variant
    # As for a request: without a slot no scope answers.
    candidates = load_candidates(course_id, slot, variant) if slot else ()
    found = first_match(candidates, question.location_id)
    winner = None if found is None else found.row.instance(question.location_id)
    nearest = _nearest_first(criteria(course_id, slot, variant))
    total = nearest.count()
    scopes = [scope for scope in nearest[: MAX_SCOPES + 1] if winner is None or scope.pk != winner.pk][:MAX_SCOPES]
    others = [ScopeExplanation(scope, _reasons(scope, question, winner)) for scope in scopes]
    return Explanation(winner, others, total - len(others) - (winner is not None))


def _nearest_first(conditions: dict[Criterion, Q]) -> QuerySet[AIWorkflowScope]:
    """All scopes, annotated with their unmet conditions as ``misses_<criterion>``."""
    misses = {
        f"misses_{name}": Case(When(condition, then=Value(0)), default=Value(1), output_field=IntegerField())
        for name, condition in conditions.items()
    }
    total = sum(map(F, misses), start=Value(0))
    scopes = in_order(AIWorkflowScope.objects.annotate(**misses))
    return scopes.order_by(total, *(f"-{name}" for name in ORDER))


def _reasons(
    scope: AIWorkflowScope, question: ResolutionQuery, winner: AIWorkflowScope | None
) -> tuple[NonMatchReason, ...]:
    missed = {name for name in Criterion if getattr(scope, f"misses_{name}", False)}
    missed |= set() if is_exact(scope, question.course_id, None) else {Criterion.COURSE}
    missed |= set() if scope.ui_slot_selector_id == question.slot else {Criterion.SLOT}
    reasons = [reason for name, reason in REASON_BY_CRITERION.items() if name in missed]
    match = compare(scope.location_regex, question.location_id)
    # A scope of another course is not compared with the location.
    if match is not Match.YES and Criterion.COURSE not in missed:
        reasons.append(REASON_BY_MATCH[match])
    if reasons or winner is None:
        return tuple(reasons)
    return (next(reason for name, reason in REASON_BY_ORDER.items() if getattr(scope, name) != getattr(winner, name)),)
