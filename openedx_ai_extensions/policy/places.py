"""Locations where learners get no AI: exams, and the locations of pauses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.utils import timezone
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Block, Person, Step
from openedx_ai_extensions.policy.pauses import Pause, all_pauses

BlockPath = Sequence[Step]


def path_to(location_id: UsageKey | None) -> BlockPath:
    """The blocks from the course down to a location; only the location itself if the platform knows no more."""
    if location_id is None:
        return ()
    return get_platform().ways_to([location_id]).get(location_id) or (Step(location_id),)


def is_exam(way: BlockPath) -> bool:
    """Does the path contain a timed or proctored sequence, or one of an exam format of the site?"""
    exam_formats = {_normal(name) for name in conf.get("AI_EXTENSIONS_EXAM_FORMATS")}
    return any(step.is_exam or (step.format and _normal(step.format) in exam_formats) for step in way)


def _normal(name: str) -> str:
    return " ".join(name.split()).casefold()


def pauses_at(way: BlockPath, course_id: CourseKey | None, profile_id: int | None) -> list[Pause]:
    """The active pauses that cover this location or a block that contains it.

    Args:
        way: see ``path_to``.
        course_id: the course of the location.
        profile_id: None if unknown: pauses of every profile are returned then.
    """
    now, keys = timezone.now(), [step.usage_key for step in way]
    return [
        pause
        for pause in all_pauses()
        if pause.location_regex
        and pause.applies_to(course_id, pause.profile_id if profile_id is None else profile_id)
        and pause.is_at_any(keys)
        and pause.is_active_at(now)
    ]


def is_readable(user: Person | None, location_id: UsageKey) -> bool:
    """May an AI read this location for this person, independently of where the person is?"""
    return bool(readable([location_id], user))


def readable(keys: Iterable[UsageKey], user: Person | None) -> set[UsageKey]:
    """The locations of one course that an AI may read for this person. Learners: no exams, no paused locations."""
    keys = list(keys)
    if not keys or not restrictions_apply_to(user, None):
        return set(keys)
    course_id = keys[0].course_key
    ways, has_marks = get_platform().ways_to(keys), _has_location_pauses()
    open_keys = {key for key in keys if not _is_restricted(ways.get(key) or (Step(key),), course_id, has_marks)}
    return set(keys) if len(open_keys) < len(keys) and not restrictions_apply_to(user, course_id) else open_keys


def readable_units(units: Sequence[Block], user: Person | None) -> Sequence[Block]:
    """The parts of the units of one course that an AI may read for this person."""
    keys = readable((unit.usage_key for unit in units), user)
    units = [unit for unit in units if unit.usage_key in keys]
    if units and _has_location_pauses():
        course_id = units[0].usage_key.course_key
        if restrictions_apply_to(user, course_id):
            return [_without_restricted(unit, course_id) for unit in units]
    return units


def restrictions_apply_to(user: Person | None, course_id: CourseKey | None) -> bool:
    """Do exams and location pauses restrict this person? Not in Studio, and not staff in their own course.

    Args:
        user: None for an unknown person.
        course_id: None for an unknown course.
    """
    if conf.service_variant() == "cms":
        return False
    return user is None or course_id is None or not get_platform().is_course_staff(user, course_id)


def _has_location_pauses() -> bool:
    """Does any pause cover certain locations only? Usually not; checked first, as each use of pauses may be a query."""
    return any(pause.location_regex for pause in all_pauses())


def _is_restricted(way: BlockPath, course_id: CourseKey | None, has_marks: bool) -> bool:
    return is_exam(way) or (has_marks and bool(pauses_at(way, course_id, None)))


def _without_restricted(block: Block, course_id: CourseKey | None) -> Block:
    children = [child for child in block.children if not pauses_at((Step(child.usage_key),), course_id, None)]
    return replace(block, children=tuple(_without_restricted(child, course_id) for child in children))
