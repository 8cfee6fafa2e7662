"""Explains which scope answers at a place, and why the others do not.

Uses the criteria, the order and the pattern matching of the resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from openedx_ai_extensions.workflows.models import AIWorkflowScope, first_match, load_candidates, own_copy
from openedx_ai_extensions.workflows.resolution import (
    ORDER,
    NonMatchReason,
    criteria,
    in_order,
    is_exact,
    mismatch,
)

MAX_SCOPES = 100  # explained scopes; those with the fewest unmet conditions come first
REASON_BY_ORDER = {"specificity_index": NonMatchReason.LESS_SPECIFIC, "id": NonMatchReason.OLDER}


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


def explain(course_id: str, location_id: str | None, slot: str, variant: str) -> Explanation:
    """Resolve as a request does, without the caches, and explain all scopes. A location always has its course."""
    # As for a request: without a slot no scope answers.
    found = first_match(load_candidates(course_id, slot, variant) if slot else (), location_id)
    winner = None if found is None else own_copy(found, location_id)
    nearest = _nearest_first(criteria(course_id, slot, variant))
    total = nearest.count()
    scopes = [scope for scope in nearest[: MAX_SCOPES + 1] if winner is None or scope.pk != winner.pk][:MAX_SCOPES]
    others = [
        ScopeExplanation(scope, _unmet(scope, course_id, location_id, slot) or _precedence(scope, winner))
        for scope in scopes
    ]
    return Explanation(winner, others, total - len(others) - (winner is not None))


def _nearest_first(conditions: dict[NonMatchReason, Q]) -> QuerySet[AIWorkflowScope]:
    """All scopes, annotated with their unmet conditions as ``misses_<reason>``."""
    misses = {
        f"misses_{name}": Case(When(condition, then=Value(0)), default=Value(1), output_field=IntegerField())
        for name, condition in conditions.items()
    }
    total = sum(map(F, misses), start=Value(0))
    scopes = in_order(AIWorkflowScope.objects.annotate(**misses))
    return scopes.order_by(total, *(f"-{name}" for name in ORDER))


def _unmet(scope: AIWorkflowScope, course_id: str, location_id: str | None, slot: str) -> tuple[NonMatchReason, ...]:
    missed = {reason for reason in NonMatchReason if getattr(scope, f"misses_{reason}", False)}
    missed |= set() if is_exact(scope, course_id, None) else {NonMatchReason.OTHER_COURSE}
    missed |= set() if scope.ui_slot_selector_id == slot else {NonMatchReason.OTHER_SLOT}
    # A scope of another course is not compared with the location.
    if NonMatchReason.OTHER_COURSE not in missed and (reason := mismatch(scope.location_regex, location_id)):
        missed.add(reason)
    return tuple(reason for reason in NonMatchReason if reason in missed)


def _precedence(scope: AIWorkflowScope, winner: AIWorkflowScope | None) -> tuple[NonMatchReason, ...]:
    reasons = (
        reason for name, reason in REASON_BY_ORDER.items() if getattr(scope, name) != getattr(winner, name, None)
    )
    return () if winner is None else (next(reasons),)
