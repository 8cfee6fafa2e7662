"""A course as the platform worked it out for one person: which blocks, in which order, with which dates."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.platform.imports import (
    ACCESS_DENIED_TRANSFORMER,
    ACCESS_TRANSFORMERS,
    CONTENT_MILESTONE,
    COURSE_MILESTONE,
    GET_COURSE_BLOCKS,
    HIDDEN_CONTENT_TRANSFORMER,
    MILESTONES_TRANSFORMER,
    STUDENT_MODULE,
    TRANSFORMERS,
    load,
)

_BANK = "itembank"
# Each person gets some of what is in them, and no structure of every release says which.
_PERSONAL = frozenset({_BANK, "randomize", "conditional", "split_test"})
# Newer releases keep what is hidden after its due date, and say so here.
_HIDDEN = "is_hidden_after_due"
# Transformers that give a person dates and titles of their own, and take nothing away.
_OF_THEIR_OWN = frozenset({"load_date_data", "load_override_data"})


class Structure:
    """The blocks that one person may see now, if the course is open to them. Made for staff, it holds all for staff.

    Args:
        user: the person.
        course_key: the course.
        root: the course's block.

    Raises:
        ItemNotFoundError: no such course.
    """

    def __init__(self, user: Person, course_key: CourseKey, root: UsageKey) -> None:
        self.root = root
        self._user = user
        self._course_key = course_key
        self._hides = load(HIDDEN_CONTENT_TRANSFORMER)
        first, self._later = _transformers(user, course_key)
        self._blocks = load(GET_COURSE_BLOCKS)(user, root, first)
        self._usage_info = first.usage_info
        if self._may_hide():
            load(TRANSFORMERS)([self._hides()], self._usage_info).transform(self._with_own_fields)

    def __contains__(self, usage_key: UsageKey) -> bool:
        return usage_key in self._parents or (usage_key == self.root and self.root in self._blocks)

    def children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """In reading order: those of this person's own where not everybody gets the same."""
        children: Sequence[UsageKey] = self._blocks.get_children(usage_key)
        if usage_key.block_type in _PERSONAL:
            children = self._chosen(usage_key, children)
        return [child for child in children if not self._is_hidden(child)]

    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """From the top of the course down to this block, itself included; empty for what is not in here."""
        if usage_key not in self:
            return ()
        path = [usage_key]
        while path[-1] in self._parents:
            path.append(self._parents[path[-1]])
        return path[::-1]

    def field(self, usage_key: UsageKey, name: str) -> Any:
        """A field's value; None where the structure does not hold it."""
        return self._blocks.get_xblock_field(usage_key, name, None)

    def own_field(self, usage_key: UsageKey, name: str) -> Any:
        """As ``field``, with what was set for this person alone: dates and titles."""
        return self._with_own_fields.get_xblock_field(usage_key, name, None)

    @cached_property
    def _with_own_fields(self) -> Any:
        """The same blocks. To look takes queries, and few courses hide anything by date."""
        self._later.usage_info = self._usage_info
        self._later.transform(self._blocks)
        _extend_dates(self._blocks, self.root, None)
        return self._blocks

    def _may_hide(self) -> bool:
        """Is there anything that is hidden after its due date?"""
        name = getattr(self._hides, "MERGED_HIDE_AFTER_DUE", None)
        fields = (self._blocks.get_transformer_block_field(key, self._hides, name, False) for key in self._blocks)
        return name is None or any(fields)

    def _is_hidden(self, usage_key: UsageKey) -> bool:
        flag = self._blocks.get_transformer_block_field(usage_key, self._hides, _HIDDEN, False)
        return bool(flag or self.field(usage_key, _HIDDEN))

    def _chosen(self, usage_key: UsageKey, children: Sequence[UsageKey]) -> Sequence[UsageKey]:
        """This person's own; none where nothing tells which these are."""
        selected = self._selections.get(usage_key, ())
        own = [child for child in children if (child.block_type, child.block_id) in selected]
        most = self.field(usage_key, "max_count")
        # The platform draws again, at the next visit, where there are too many.
        return own if most is None or most < 0 or len(own) <= most else ()

    @cached_property
    def _parents(self) -> dict[UsageKey, UsageKey]:
        parents: dict[UsageKey, UsageKey] = {}
        waiting = [self.root]
        while waiting:
            parent = waiting.pop()
            for child in self.children(parent):
                if child not in parents:
                    parents[child] = parent
                    waiting.append(child)
        return parents

    @cached_property
    def _selections(self) -> Mapping[UsageKey, Collection[tuple[str, str]]]:
        """What was drawn for this person from each problem bank that they have seen."""
        banks = [key for key in self._blocks if key.block_type == _BANK]
        if not banks:
            return {}
        states = load(STUDENT_MODULE).objects.filter(
            student=self._user, course_id=self._course_key, module_state_key__in=banks
        )
        return {
            key.map_into_course(self._course_key): {
                (block_type, block_id) for block_type, block_id in json.loads(state or "{}").get("selected", ())
            }
            for key, state in states.values_list("module_state_key", "state")
        }


def _transformers(user: Person, course_key: CourseKey) -> tuple[Any, Any]:
    """Those that say what this person sees, and those that may wait until it is asked what is this person's own."""
    first: list[Any] = []
    later: list[Any] = []
    for transformer in load(ACCESS_TRANSFORMERS)(user):
        (later if transformer.name() in _OF_THEIR_OWN else first).append(transformer)
    if _may_gate(course_key):
        milestones = load(MILESTONES_TRANSFORMER)(include_special_exams=True, include_gated_sections=False)
        # It would ask how far this person is with each exam of the course, one by one, and only to tell us.
        milestones.add_special_exam_info = lambda *_exam: None
        first.append(milestones)
    # What the default transformers leave in.
    first.append(load(ACCESS_DENIED_TRANSFORMER)())
    return load(TRANSFORMERS)(first), load(TRANSFORMERS)(later)


def _may_gate(course_key: CourseKey) -> bool:
    """May anything in the course wait for something else? The transformer asks that in four queries."""
    if not conf.has_feature("MILESTONES_APP"):
        return True  # the transformer knows that, or better, and asks nothing
    of_course, of_content = (
        load(model).objects.filter(course_id=str(course_key), active=True).values("pk")
        for model in (COURSE_MILESTONE, CONTENT_MILESTONE)
    )
    return bool(of_course.union(of_content, all=True)[:1])


def _extend_dates(blocks: Any, key: UsageKey, latest: datetime | None) -> None:
    """Have more time that was given for a block hold for all that is in it, where the platform leaves the old date."""
    date = _moment(blocks.get_xblock_field(key, "due", None))
    if date and latest and latest > date:
        date = latest
    if date:
        blocks.override_xblock_field(key, "due", date)
    for child in blocks.get_children(key):
        _extend_dates(blocks, child, date or latest)


def _moment(date: datetime | str | None) -> datetime | None:
    """Dates of one student's own come as text, which the next transformer could not compare."""
    if not isinstance(date, str):
        return date
    moment = datetime.fromisoformat(date)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
