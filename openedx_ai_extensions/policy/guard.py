"""The site's rules: whether a run is allowed, and what an AI may read.

A run is checked before it starts, and again while an answer streams. Exams and locations with pauses are restricted:
learners get no AI there, and the AI does not read them for learners elsewhere.
"""

from __future__ import annotations

import enum
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.long_waits import reconnect
from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.core.messages import joined
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Block, Person, Step
from openedx_ai_extensions.exceptions import Refused
from openedx_ai_extensions.policy.consent import require_consent
from openedx_ai_extensions.policy.pauses import Pause, all_pauses, course_wide_pauses, resumes_at
from openedx_ai_extensions.workflows.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.resolution import matches

BlockPath = Sequence[Step]
RECHECK_SECONDS = 2.0  # between two checks during a run


class RefusalReason(enum.StrEnum):
    """Machine-readable reasons why AI is not available."""

    PAUSED = "paused"
    QUIET_HOURS = "quiet_hours"
    EXAM = "exam"


class Guard:
    """The site's rules for one person at one location.

    Args:
        user: the person; None for no particular person.
        course_id: the course.
        location_id: the location in the course.
        profile: the profile of the workflow; None outside of workflows.
    """

    def __init__(
        self,
        *,
        user: Person | None,
        course_id: CourseKey | None = None,
        location_id: UsageKey | None = None,
        profile: AIWorkflowProfile | None = None,
    ) -> None:
        self.user = user
        self.course_id = course_id or (location_id.course_key if location_id else None)
        self.location_id = location_id
        self.profile = profile
        self._asks_model = False
        self._next_check = 0.0

    def require_allowed(self, *, asks_model: bool) -> None:
        """Raise an error unless the site's rules allow a run.

        Args:
            asks_model: the input goes to a model, now or later, so consent is required.

        Raises:
            Refused: AI is switched off or paused here, or the person is in an exam.
            ConsentRequired: the person has not accepted the current notice.
        """
        self._asks_model = asks_model
        self._next_check = time.monotonic() + RECHECK_SECONDS
        refusal = self.refusal()
        if refusal is not None:
            raise refusal
        if asks_model and self.user is not None:
            require_consent(self.user, self.profile)

    def recheck(self) -> None:
        """Repeat the last ``require_allowed`` if it was at least ``RECHECK_SECONDS`` ago.

        Raises:
            Refused: see ``require_allowed``.
        """
        if time.monotonic() >= self._next_check:
            reconnect()
            self.require_allowed(asks_model=self._asks_model)

    def refusal(self) -> Refused | None:
        """The error for the person; None if AI may be used."""
        if not conf.get("AI_EXTENSIONS_ENABLED"):
            return _refused(RefusalReason.PAUSED, "setting", _("AI is switched off at the moment."))
        now = timezone.now()
        profile_id = self.profile.pk if self.profile else -1
        pauses = course_wide_pauses(all_pauses(), self.course_id, profile_id, now)
        return _paused(pauses, now) or self._refusal_at_restricted_place(now, profile_id) or self._refusal_in_exam()

    def _refusal_at_restricted_place(self, now: datetime, profile_id: int) -> Refused | None:
        if not self._block_path or not restrictions_apply_to(self.user, None):
            return None
        pauses = pauses_at(self._block_path, self.course_id, profile_id)
        if (pauses or is_exam(self._block_path)) and restrictions_apply_to(self.user, self.course_id):
            return _in_exam() if is_exam(self._block_path) else _paused(pauses, now)
        return None

    def _refusal_in_exam(self) -> Refused | None:
        """AI is not available anywhere to a person who is in an exam."""
        if self.user is None or conf.service_variant() == "cms":
            return None
        return _in_exam() if get_platform().is_in_exam(self.user) else None

    @cached_property
    def _block_path(self) -> BlockPath:
        # Cached: a sequence rarely moves during a run.
        return path_to(self.location_id) if restrictions_apply_to(None, None) else ()


def _paused(pauses: Sequence[Pause], now: datetime) -> Refused | None:
    """The error for active pauses. Pauses without hours, and those with a message, take precedence."""
    if not pauses:
        return None
    first = min(pauses, key=lambda pause: (pause.has_hours, not pause.message, pause.pk))
    reason = RefusalReason.QUIET_HOURS if first.has_hours else RefusalReason.PAUSED
    back_at = resumes_at(pauses, now)
    message: str | Promise = first.message or _("AI is not available here at the moment.")
    if back_at is not None and not first.message:
        message = joined(message, _("It will be back {time}.").format(time=back_at))
    return _refused(reason, f"pause/{first.pk}", message, back_at)


def _in_exam() -> Refused:
    return _refused(RefusalReason.EXAM, "exam", _("AI is not available during an exam. Good luck!"))


def _refused(
    reason: RefusalReason, refused_by: str, message: str | Promise, back_at: datetime | None = None
) -> Refused:
    extra: dict[str, Any] = {"reason": str(reason)}
    seconds = None
    if back_at is not None:
        extra["resumes_at"] = back_at.isoformat()
        seconds = max(math.ceil((back_at - timezone.now()).total_seconds()), 1)
    return Refused(message, refused_by=refused_by, extra=extra, retry_after=seconds)


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
    now, keys = timezone.now(), [str(step.usage_key) for step in way]
    return [
        pause
        for pause in all_pauses()
        if pause.location_regex
        and pause.applies_to(course_id, pause.profile_id if profile_id is None else profile_id)
        and any(matches(pause.location_regex, key) for key in keys)
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

    def is_open(way: BlockPath) -> bool:
        return not (is_exam(way) or (has_marks and pauses_at(way, course_id, None)))

    open_keys = {key for key in keys if is_open(ways.get(key) or (Step(key),))}
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


def _without_restricted(block: Block, course_id: CourseKey | None) -> Block:
    children = [child for child in block.children if not pauses_at((Step(child.usage_key),), course_id, None)]
    return replace(block, children=tuple(_without_restricted(child, course_id) for child in children))
