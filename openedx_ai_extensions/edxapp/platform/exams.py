"""Where exams are, and who sits one, as the platform knows it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.interface import Person, Step
from openedx_ai_extensions.edxapp.platform import exams_service
from openedx_ai_extensions.edxapp.platform.imports import (
    GET_ACTIVE_EXAMS,
    ITEM_NOT_FOUND,
    MODULESTORE,
    MODULESTORE_ENUM,
    load,
)
from openedx_ai_extensions.edxapp.platform.selection import SEQUENCES

_EXAM_FIELDS = (
    "is_time_limited", "is_proctored_enabled", "is_proctored_exam", "is_practice_exam", "is_onboarding_exam"
)  # fmt: skip
_MAX_LEVELS = 25


def is_in_exam(user: Person) -> bool:
    """Has this person an attempt under way, in the platform itself or in the separate exams service?

    Nobody has where the platform has no timed and proctored exams.
    """
    return conf.has_feature("ENABLE_SPECIAL_EXAMS") and (_has_attempt(user) or exams_service.has_attempt(user))


def _has_attempt(user: Person) -> bool:
    return find_spec("edx_proctoring") is not None and bool(load(GET_ACTIVE_EXAMS)(user.pk))


def ways_to(course_key: CourseKey, usage_keys: Collection[UsageKey]) -> Mapping[UsageKey, Sequence[Step]]:
    """See the interface. What the block structures hold is made for one person, and may lack an exam."""
    with _reading(course_key) as store:
        steps = _Steps(store, course_key)
        ways = {key: steps.down_to(key) for key in usage_keys}
    return {key: way for key, way in ways.items() if way}


@contextmanager
def _reading(course_key: CourseKey) -> Iterator[Any]:
    store = load(MODULESTORE)()
    published = load(MODULESTORE_ENUM).Branch.published_only
    is_studio = conf.service_variant() == "cms"
    with nullcontext() if is_studio else store.branch_setting(published, course_key), store.bulk_operations(course_key):
        yield store


class _Steps:
    """The blocks above others: each is read once."""

    def __init__(self, store: Any, course_key: CourseKey) -> None:
        self._store = store
        self._course_key = course_key
        self._steps: dict[UsageKey, Step] = {}
        self._parents: dict[UsageKey, UsageKey | None] = {}

    def down_to(self, usage_key: UsageKey) -> Sequence[Step]:
        """Empty for a block that is not there."""
        here: UsageKey | None = usage_key
        way: list[Step] = []
        try:
            if not self._store.has_item(usage_key):
                return ()
            while here is not None and len(way) < _MAX_LEVELS:
                way.append(self._step(here))
                here = self._parent(here)
        except load(ITEM_NOT_FOUND):  # it went while it was read
            return ()
        return way[::-1]

    def _parent(self, usage_key: UsageKey) -> UsageKey | None:
        if usage_key not in self._parents:
            parent = self._store.get_parent_location(usage_key)
            self._parents[usage_key] = None if parent is None else parent.map_into_course(self._course_key)
        return self._parents[usage_key]

    def _step(self, usage_key: UsageKey) -> Step:
        if usage_key.block_type not in SEQUENCES:
            return Step(usage_key)
        if usage_key not in self._steps:
            block = self._store.get_item(usage_key)
            is_exam = any(getattr(block, name, False) for name in _EXAM_FIELDS)
            self._steps[usage_key] = Step(usage_key, is_exam, getattr(block, "format", None) or "")
        return self._steps[usage_key]
