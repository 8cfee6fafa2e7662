"""The site's rules for a run. Checked before it starts, and again while an answer streams."""

from __future__ import annotations

import enum
import math
import time
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.connection_release import reconnect
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import Refused
from openedx_ai_extensions.ledger.quota import readable_time
from openedx_ai_extensions.policy.consent import require_consent
from openedx_ai_extensions.policy.pauses import Pause, all_pauses, course_wide_pauses, resumes_at
from openedx_ai_extensions.policy.places import BlockPath, is_exam, path_to, pauses_at, restrictions_apply_to
from openedx_ai_extensions.workflows.models import AIWorkflowProfile

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
    message = first.message or _("AI is not available here at the moment.")
    if back_at is not None and not first.message:
        then = _("It will be back {time}.").format(time=readable_time(back_at))
        message = f"{message} {then}"
    return _refused(reason, f"pause/{first.pk}", message, back_at)


def _in_exam() -> Refused:
    return _refused(RefusalReason.EXAM, "exam", _("AI is not available during an exam. Good luck!"))


def _refused(reason: RefusalReason, refused_by: str, message: str, back_at: datetime | None = None) -> Refused:
    extra: dict[str, Any] = {"reason": str(reason)}
    seconds = None
    if back_at is not None:
        extra["resumes_at"] = back_at.isoformat()
        seconds = max(math.ceil((back_at - timezone.now()).total_seconds()), 1)
    return Refused(message, refused_by=refused_by, extra=extra, retry_after=seconds)
