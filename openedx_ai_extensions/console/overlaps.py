"""Enabled scopes that never answer, as far as that can be proved, or that answer less than it seems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from openedx_ai_extensions.workflows.models import AIWorkflowScope
from openedx_ai_extensions.workflows.resolution import NonMatchReason, in_order, mismatch

MAX_OVERLAPS = 200
MAX_COMPARED_PATTERNS = 200  # of one course and slot

# Patterns that match every location.
MATCHES_EVERYTHING = frozenset({"^", "$", ".", ".*", ".+", "^.", "^.*", "^.+", "^.*$", "^.+$", ".*$", ".+$"})
# Text without special characters, or with each of them escaped.
_LITERAL = regex.compile(r"(?:[A-Za-z0-9@:_/-]|\\[^A-Za-z0-9])+")


class OverlapKind(TextChoices):
    NO_SLOT = "no_slot", _("It never answers: it has no slot, so no widget finds it.")
    SAME = "same", _("It never answers: a newer scope has the same course, slot, service and pattern.")
    COVERED = "covered", _("It never answers: the pattern of a newer scope matches wherever its own pattern does.")
    ONLY_WITHOUT_LOCATION = (
        "only_without_location",
        _("It answers only widgets that give no location: another scope's pattern matches every location."),
    )
    ONLY_OUTSIDE = (
        "only_outside",
        _("It answers only outside of courses: a newer scope has the same slot and service, and answers in courses."),
    )
    NO_MATCH = "no_match", _("It never answers: its pattern is not valid.")
    BROKEN = "broken", _("Its profile is broken, so its widgets are hidden. It still goes before other scopes.")


@dataclass(frozen=True, slots=True)
class Overlap:
    """A scope with a problem, and the other scope that causes it."""

    scope: AIWorkflowScope
    kind: OverlapKind
    other: AIWorkflowScope | None = None

    @property
    def text(self) -> str:
        return str(self.kind.label)


def overlaps() -> list[Overlap]:
    """The overlaps of all enabled scopes, at most ``MAX_OVERLAPS``."""
    groups: defaultdict[tuple[str, str, str], list[AIWorkflowScope]] = defaultdict(list)
    for scope in in_order(AIWorkflowScope.objects.filter(enabled=True)):
        groups[str(scope.course_id or ""), scope.ui_slot_selector_id, scope.service_variant].append(scope)
    found: list[Overlap] = []
    for (_course, slot, _variant), scopes in sorted(groups.items()):
        found += _of_group(scopes) if slot else (Overlap(scope, OverlapKind.NO_SLOT) for scope in scopes)
        if len(found) >= MAX_OVERLAPS:
            break
    return found[:MAX_OVERLAPS]


def _of_group(scopes: Sequence[AIWorkflowScope]) -> Iterator[Overlap]:
    """The overlaps among the scopes of one course, slot and service, in the order in which they are tried."""
    seen: dict[str, AIWorkflowScope] = {}
    outside: AIWorkflowScope | None = None
    for scope in scopes:
        pattern = scope.location_regex or ""
        finding = _finding(scope, pattern, seen)
        if scope.outside_courses and outside is None and finding is not None:
            finding = Overlap(scope, OverlapKind.ONLY_OUTSIDE, finding.other)
        if finding is not None:
            yield finding
        elif not scope.profile.is_usable:
            yield Overlap(scope, OverlapKind.BROKEN)
        if mismatch(pattern, "-") is not NonMatchReason.INVALID:
            seen.setdefault(pattern, scope)
            if scope.outside_courses and not pattern:
                outside = outside or scope


def _finding(scope: AIWorkflowScope, pattern: str, before: Mapping[str, AIWorkflowScope]) -> Overlap | None:
    """The overlap of a scope with the patterns that are tried before it."""
    if mismatch(pattern, "-") is NonMatchReason.INVALID:
        return Overlap(scope, OverlapKind.NO_MATCH)
    if pattern in before:
        return Overlap(scope, OverlapKind.SAME, before[pattern])
    everywhere = next((other for name, other in before.items() if name in MATCHES_EVERYTHING), None)
    if everywhere is not None:
        return Overlap(scope, OverlapKind.COVERED if pattern else OverlapKind.ONLY_WITHOUT_LOCATION, everywhere)
    covering = _covering(pattern, list(before)[:MAX_COMPARED_PATTERNS])
    return None if covering is None else Overlap(scope, OverlapKind.COVERED, before[covering])


def _covering(pattern: str, others: Iterable[str]) -> str | None:
    """A pattern whose text is part of this pattern's text, so that it matches wherever this pattern does."""
    text = _literal(pattern)
    if text is None:
        return None
    for other in others:
        shorter = _literal(other)
        if shorter is not None and shorter in text:
            return other
    return None


def _literal(pattern: str) -> str | None:
    """The only text that a pattern matches; None if it may match several."""
    if not _LITERAL.fullmatch(pattern):
        return None
    return regex.sub(r"\\(.)", r"\1", pattern)
