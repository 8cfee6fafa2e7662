"""The account of a trial: whoever tries pays, and nobody's course does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.ledger.run import Reservation, Run

DRY_RUN_ACTION = "try"


class DryLedgerRun(Run):
    """A run in the ledger of whoever tries: the limits of the site, the provider and that person hold for it.

    It names no course and no profile's id, so that it counts neither to a course's budget nor to a profile's.

    Args:
        payer: who tries.
        person: for whom it is tried; plugins and moderators are told.
        course_id, location_id: where it is tried; they are told of these, too.
        profile_slug: what is tried, for reports; empty when it has no name yet.

    Attributes:
        holds: what each call of a provider was expected to take.
    """

    def __init__(
        self,
        payer: Person,
        *,
        person: Person,
        course_id: CourseKey | None,
        location_id: UsageKey | None,
        profile_slug: str,
    ) -> None:
        super().__init__(user=payer, profile_slug=profile_slug, action=DRY_RUN_ACTION)
        self.reservations: list[Reservation] = []
        self._tested_course_id = course_id
        self._tested_for = {
            "user_id": person.pk,
            "course_id": str(course_id) if course_id else None,
            "location_id": str(location_id) if location_id else None,
        }

    def _is_staff(self) -> bool:
        """Whoever teaches the course tries as its staff."""
        payer, course_id = self.user, self._tested_course_id
        return super()._is_staff() or bool(payer and course_id and get_platform().is_course_staff(payer, course_id))

    @property
    def about(self) -> dict[str, Any]:
        return {**super().about, **self._tested_for}

    def reserve(self, reservation: Reservation) -> None:
        self.reservations.append(reservation)
        super().reserve(reservation)


class MockLedgerRun(DryLedgerRun):
    """The account of a trial that asks nobody: kept in memory, and no limit holds."""

    def require_quota(self, provider: str | None = None, *, waiting: int = 0) -> None:
        """There is always some left of nothing."""

    def _write(self, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.row, name, value)

    def end(self, outcome: str, *, error_code: str = "", refused_by: str = "") -> None:
        if not self.is_over:
            self.is_over = True
            told: Mapping[str, Any] = {"outcome": outcome, "error_code": error_code, "refused_by": refused_by}
            self._write(**told, duration_ms=self._elapsed_ms())
