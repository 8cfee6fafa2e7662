"""Ledger accounts of dry runs: they are charged to the person who starts them, not to a course."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.ledger.run import Reservation, Run

DRY_RUN_ACTION = "try"


class DryLedgerRun(Run):
    """A run charged to the person who starts the dry run; the limits of the site, the provider and that person apply.

    It stores no course and no profile id, so it counts towards no budget of a course or profile.

    Args:
        payer: the person who starts the dry run.
        person: the person as whom it runs; plugins and moderators get this person.
        course_id, location_id: where it runs; plugins and moderators get these too.
        profile_slug: the tested profile, for reports; empty if it is not saved yet.

    Attributes:
        reservations: what each provider call was expected to use.
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
        """Staff of the tested course count as staff."""
        payer, course_id = self.user, self._tested_course_id
        return super()._is_staff() or bool(payer and course_id and get_platform().is_course_staff(payer, course_id))

    @property
    def about(self) -> dict[str, Any]:
        return {**super().about, **self._tested_for}

    def reserve(self, reservation: Reservation) -> None:
        self.reservations.append(reservation)
        super().reserve(reservation)


class MockLedgerRun(DryLedgerRun):
    """The account of a mock run: kept in memory, without limits."""

    def require_quota(self, provider: str | None = None, *, waiting: int = 0) -> None:
        """Mock runs have no limits."""

    def _write(self, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.row, name, value)

    def end(self, outcome: str, *, error_code: str = "", refused_by: str = "") -> None:
        if not self.is_over:
            self.is_over = True
            told: Mapping[str, Any] = {"outcome": outcome, "error_code": error_code, "refused_by": refused_by}
            self._write(**told, duration_ms=self._elapsed_ms())
