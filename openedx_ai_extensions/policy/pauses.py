"""Pauses of AI: which ones are active, and when they end."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from datetime import time as clock_time

from django.db import transaction
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core.cache import cached_until_changed
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.policy.models import AIPause, period_of
from openedx_ai_extensions.workflows.models import AIWorkflowProfile

logger = logging.getLogger(__name__)

# Maximum age of the cached pauses: the bound on stale data if there is no shared cache.
MAX_CACHE_SECONDS = 5.0
MIDNIGHT = clock_time()
A_DAY = timedelta(days=1)
EVERY_DAY = "0123456"
# Limit of consecutive windows to follow when looking for the end of a pause.
MAX_WINDOWS = 40


@dataclass(frozen=True, slots=True)
class Pause:
    """A configured pause; None means no restriction, or no bound."""

    pk: int
    course_id: str | None
    profile_id: int | None
    location_regex: str | None
    weekdays: str
    from_time: clock_time | None
    to_time: clock_time | None
    starts_at: datetime | None
    ends_at: datetime | None
    message: str
    has_hours: bool
    is_of_course_staff: bool

    @classmethod
    def of(cls, row: AIPause, secrets: Collection[str] = ()) -> Pause:
        """The pause of a row, without these credentials in its message."""
        values = {field.name: getattr(row, field.name) for field in fields(cls)}
        values["course_id"] = str(row.course_id) if row.course_id else None
        values["starts_at"], values["ends_at"] = period_of(row.starts_at, row.ends_at)
        values["message"] = masked_text(row.message, secrets)
        return cls(**values)

    def applies_to(self, course_id: CourseKey | None, profile_id: int | None) -> bool:
        """Does the pause cover this course and profile?"""
        course = None if course_id is None else str(course_id)
        return self.course_id in (None, course) and self.profile_id in (None, profile_id)

    def is_active_at(self, moment: datetime) -> bool:
        return any(begin <= moment and (end is None or moment < end) for begin, end in self._windows(moment))

    def end_after(self, moment: datetime) -> datetime | None:
        """The end of the window that is active at a moment; None if it is unknown."""
        ends = [end for begin, end in self._windows(moment) if begin <= moment and (end is None or moment < end)]
        return None if None in ends else max(end for end in ends if end is not None)

    def _windows(self, moment: datetime) -> Iterator[tuple[datetime, datetime | None]]:
        """The windows around a moment, in the site's time zone."""
        first = self.starts_at or datetime.min.replace(tzinfo=moment.tzinfo)
        if not self.has_hours:
            yield first, self.ends_at
            return
        today = timezone.localdate(moment, timezone.get_default_timezone())
        for day in (today - A_DAY, today):
            if str(day.weekday()) in (self.weekdays or EVERY_DAY):
                from_time, to_time = self.from_time or MIDNIGHT, self.to_time or MIDNIGHT
                end = _at(day if from_time < to_time else day + A_DAY, to_time)
                yield max(_at(day, from_time), first), min(end, self.ends_at) if self.ends_at else end


def _at(day: date, clock: clock_time) -> datetime:
    return datetime.combine(day, clock, timezone.get_default_timezone())


def resumes_at(pauses: Sequence[Pause], now: datetime) -> datetime | None:
    """The time at which none of the pauses is active any more; None if it is unknown."""
    moment = now
    for _window in range(MAX_WINDOWS):
        ends = [pause.end_after(moment) for pause in pauses if pause.is_active_at(moment)]
        if not ends:
            return moment
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            return None
        moment = max(known)
    return None


@cached_until_changed(lambda: MAX_CACHE_SECONDS)
def all_pauses() -> tuple[Pause, ...]:
    """The enabled pauses; cached for a few seconds, and until one changes."""
    secrets = configured_secrets()
    return tuple(Pause.of(row, secrets) for row in AIPause.objects.filter(enabled=True).order_by("pk"))


def course_wide_pauses(
    pauses: Iterable[Pause], course_id: CourseKey | None, profile_id: int | None, now: datetime
) -> list[Pause]:
    """The active pauses of a course and profile that are not restricted to locations."""
    return [
        pause
        for pause in pauses
        if not pause.location_regex and pause.applies_to(course_id, profile_id) and pause.is_active_at(now)
    ]


def switched_off(course_key: CourseKey) -> Mapping[int, AIPause]:
    """The pauses set by the staff of a course, by profile id."""
    rows = AIPause.objects.filter(course_id=course_key, is_of_course_staff=True, enabled=True)
    return {row.profile_id: row for row in _of(rows.select_related("switched_by"), course_key) if row.profile_id}


@transaction.atomic
def turn_off(user: Person, course_key: CourseKey, profile: AIWorkflowProfile) -> AIPause:
    """Turn a profile off in a course, in the LMS and in Studio."""
    found = _rows(course_key, profile)
    pause = found[0] if found else AIPause(course_id=course_key, profile=profile, is_of_course_staff=True)
    _switch(pause, user, enabled=True)
    return pause


@transaction.atomic
def turn_on(user: Person, course_key: CourseKey, profile: AIWorkflowProfile) -> list[AIPause]:
    """Undo ``turn_off``. Returns the lifted pauses; concurrent requests may have created several."""
    lifted = [pause for pause in _rows(course_key, profile) if pause.enabled]
    for pause in lifted:
        _switch(pause, user, enabled=False)
    return lifted


def _switch(pause: AIPause, user: Person, *, enabled: bool) -> None:
    pause.enabled, pause.switched_at, pause.switched_by_id = enabled, timezone.now(), user.pk
    pause.save()
    logger.info("pause.switched pause=%s enabled=%s user=%s", pause.pk, enabled, user.pk)


def _rows(course_key: CourseKey, profile: AIWorkflowProfile) -> list[AIPause]:
    return _of(AIPause.objects.filter(course_id=course_key, profile=profile, is_of_course_staff=True), course_key)


def _of(rows: object, course_key: CourseKey) -> list[AIPause]:
    # Some databases compare case-insensitively; course keys are case-sensitive.
    return [row for row in rows if row.course_id == course_key]  # type: ignore[attr-defined]
