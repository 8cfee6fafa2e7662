"""The units of a course, and which of several scopes answers in which."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import OutlineNode, Person
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.models import AIWorkflowScope
from openedx_ai_extensions.workflows.resolution import Match, compare

MAX_UNITS = 3000  # units that are looked at
TIME = 1.0  # seconds for all patterns of a page


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, with what it is in."""

    key: UsageKey
    name: str
    above: str

    @property
    def link(self) -> str:
        return get_platform().block_link(self.key)


def units_of(user: Person, course_key: CourseKey) -> list[Unit]:
    """The units that this person sees, in order. Nothing where the course can't be read."""
    try:
        outline = get_platform().course_outline(user, course_key)
    except ProcessorError:
        return []
    return list(_units(outline, ""))[:MAX_UNITS]


def _units(nodes: Sequence[OutlineNode], above: str) -> Iterator[Unit]:
    for node in nodes:
        name = node.display_name or node.usage_key.block_id
        if node.category == "vertical":
            yield Unit(node.usage_key, name, above)
        else:
            yield from _units(node.children, name)


class ScopeUnits:
    """Which patterns match where, each looked at once."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = units
        self._matching: dict[str, Set[UsageKey] | None] = {}
        self._deadline = time.monotonic() + TIME

    def shared_out(self, scopes: Sequence[AIWorkflowScope]) -> Mapping[int, list[Unit] | None]:
        """The units in which each scope answers, by its id; None when that takes too long to find out.

        Args:
            scopes: of one slot and service, in the order in which a resolution tries them.
        """
        left = list(self.units)
        found: dict[int, list[Unit] | None] = {}
        for scope in scopes:
            matching = self._where(scope.location_regex)
            found[scope.pk] = None if matching is None else [unit for unit in left if unit.key in matching]
            left = [unit for unit in left if unit.key not in (matching or ())]
        return found

    def _where(self, pattern: str | None) -> Set[UsageKey] | None:
        if not pattern:
            return {unit.key for unit in self.units}
        if pattern not in self._matching:
            self._matching[pattern] = self._compare(pattern)
        return self._matching[pattern]

    def _compare(self, pattern: str) -> Set[UsageKey] | None:
        matching = set()
        for unit in self.units:
            match = compare(pattern, str(unit.key))
            if match is Match.TOO_SLOW or time.monotonic() > self._deadline:
                return None
            if match is Match.YES:
                matching.add(unit.key)
        return matching
