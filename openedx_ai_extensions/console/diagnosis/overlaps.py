"""Scopes that can't win, as far as that can be proved."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.workflows.models import AIWorkflowScope, in_order
from openedx_ai_extensions.workflows.resolution import Match, compare

MAX_FINDINGS = 200  # findings
MOST_COMPARED = 200  # patterns of one course and slot that are compared with each other

# These are found in every location there is.
EVERYTHING = frozenset({"^", "$", ".", ".*", ".+", "^.", "^.*", "^.+", "^.*$", "^.+$", ".*$", ".+$"})
# Text that means itself, escaped or not: all else may mean anything.
_LITERAL = regex.compile(r"(?:[A-Za-z0-9@:_/-]|\\[^A-Za-z0-9])+")


class OverlapKind(enum.StrEnum):
    NO_SLOT = "no_slot"
    SAME = "same"
    COVERED = "covered"
    ONLY_WITHOUT_LOCATION = "only_without_location"
    ONLY_OUTSIDE = "only_outside"
    NO_MATCH = "no_match"
    BROKEN = "broken"


KINDS: Mapping[OverlapKind, Promise] = {
    OverlapKind.NO_SLOT: gettext_lazy("It never answers: it has no slot, so no widget finds it."),
    OverlapKind.SAME: gettext_lazy("It never answers: a newer scope has the same course, slot, service and pattern."),
    OverlapKind.COVERED: gettext_lazy("It never answers: a newer scope's pattern is found wherever its own is."),
    OverlapKind.ONLY_WITHOUT_LOCATION: gettext_lazy(
        "It answers only where a widget names no location: another scope's pattern is found in every location."
    ),
    OverlapKind.ONLY_OUTSIDE: gettext_lazy(
        "It answers only outside of courses: a newer scope has the same slot and service, and answers in courses."
    ),
    OverlapKind.NO_MATCH: gettext_lazy("It never answers: its pattern is not valid."),
    OverlapKind.BROKEN: gettext_lazy("It answers with nothing: its profile is broken. It still goes before others."),
}


@dataclass(frozen=True, slots=True)
class Overlap:
    """A scope with something wrong, and the other scope that has to do with it."""

    scope: AIWorkflowScope
    kind: OverlapKind
    other: AIWorkflowScope | None = None

    @property
    def text(self) -> str:
        return str(KINDS[self.kind])


def findings() -> list[Overlap]:
    """Of all enabled scopes; of very many only the first."""
    groups: defaultdict[tuple[str, str, str], list[AIWorkflowScope]] = defaultdict(list)
    for scope in in_order(AIWorkflowScope.objects.filter(enabled=True)):
        groups[str(scope.course_id or ""), scope.ui_slot_selector_id, scope.service_variant].append(scope)
    found: list[Overlap] = []
    for (_course, slot, _variant), scopes in sorted(groups.items()):
        found += _of_group(scopes) if slot else (Overlap(scope, OverlapKind.NO_SLOT) for scope in scopes)
        if len(found) >= MAX_FINDINGS:
            break
    return found[:MAX_FINDINGS]


def _of_group(scopes: Sequence[AIWorkflowScope]) -> Iterator[Overlap]:
    """Of the scopes of one course, slot and service, the winner first."""
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
        if compare(pattern, "-") is not Match.INVALID:
            seen.setdefault(pattern, scope)
            if scope.outside_courses and not pattern:
                outside = outside or scope


def _finding(scope: AIWorkflowScope, pattern: str, before: Mapping[str, AIWorkflowScope]) -> Overlap | None:
    """What those that go before it leave to this scope."""
    if compare(pattern, "-") is Match.INVALID:
        return Overlap(scope, OverlapKind.NO_MATCH)
    if pattern in before:
        return Overlap(scope, OverlapKind.SAME, before[pattern])
    everywhere = next((other for name, other in before.items() if name in EVERYTHING), None)
    if everywhere is not None:
        return Overlap(scope, OverlapKind.COVERED if pattern else OverlapKind.ONLY_WITHOUT_LOCATION, everywhere)
    covering = _covering(pattern, list(before)[:MOST_COMPARED])
    return None if covering is None else Overlap(scope, OverlapKind.COVERED, before[covering])


def _covering(pattern: str, others: Iterable[str]) -> str | None:
    """A text that is part of this text: whatever has the longer one in it has the shorter one."""
    text = _literal(pattern)
    if text is None:
        return None
    for other in others:
        shorter = _literal(other)
        if shorter is not None and shorter in text:
            return other
    return None


def _literal(pattern: str) -> str | None:
    """The text that a pattern finds, if it finds but one."""
    if not _LITERAL.fullmatch(pattern):
        return None
    return regex.sub(r"\\(.)", r"\1", pattern)
