"""Base classes of orchestrators with a session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.exceptions import UnknownAction
from openedx_ai_extensions.execution import background
from openedx_ai_extensions.execution.answers import Result, StatusResult
from openedx_ai_extensions.execution.background import Lease
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator, action


class SessionBasedOrchestrator(BaseOrchestrator):
    """Has one session for each person, workflow and location; ``run`` can run in the background, as ``run_async``.

    A subclass implements ``current_response`` and ``clear``. Its ``run`` may call ``report_progress``.
    """

    @cached_property
    def session(self) -> AIWorkflowSession:
        """The session; created at the first use by an action that may keep something."""
        return self.execution.session(self.session_location, creates=not self.execution.traits.keeps_nothing)

    @property
    def session_location(self) -> UsageKey | None:
        """The location of the session; None for a session of the whole course."""
        location: UsageKey | None = self.location_id
        return location

    @property
    def async_run(self) -> Lease | None:
        """The lease of the background run; None if a client waits for the answer."""
        return self.execution.lease

    def report_progress(self, progress: float | None = None, message: str = "") -> None:
        """Report the progress of a background run; raise an error if it was cancelled. Does nothing otherwise.

        Args:
            progress: from 0 to 1; None when unknown.
            message: translated, for the person who waits.

        Raises:
            RunCancelled: the run was cancelled.
        """
        if self.async_run is not None:
            self.async_run.report(progress, message)

    def check_input(self, user_input: Any) -> None:
        """Check the input of ``run`` before it is queued. By default every input is accepted here.

        Raises:
            InvalidRequest: see the message.
        """

    def _change_metadata(
        self, change: Callable[[dict[str, Any]], None], *, unless_cancelled: bool = True
    ) -> dict[str, Any] | None:
        """Change the session's metadata under a row lock.

        Returns:
            The metadata after that; None, and no change, when the session was cleared meanwhile.

        Raises:
            RunCancelled: this background run was cancelled.
        """
        rows = AIWorkflowSession.objects.filter(pk=self.session.pk)
        with transaction.atomic():
            if unless_cancelled and self.async_run is not None:
                self.async_run.hold()
            # Writing first takes the lock on every database.
            if not rows.update(updated_at=timezone.now()):
                return None
            metadata: dict[str, Any] = rows.select_for_update().values_list("metadata", flat=True).get()
            change(metadata)
            rows.update(metadata=metadata)
        return metadata

    def current_response(self) -> Any:
        """The content of the session, for a widget that opens; None for a new session."""
        return self.session.metadata.get("response")

    def clear(self) -> None:
        """Delete the session. The next request creates a new one; concurrent writes to the old one have no effect."""
        self.session.delete()
        del self.session

    @action(asks_model=False, replayable=False, keeps_nothing=True)
    def get_current_session_response(self, _user_input: Any) -> Result:
        return Result(self.current_response())

    @action(asks_model=False, keeps_nothing=True)
    def clear_session(self, _user_input: Any) -> Result:
        self.clear()
        return Result("", status="session_cleared")

    @action(asks_model=False, asks_model_later=True)
    def run_async(self, user_input: Any) -> Result:
        """Run ``run`` in the background."""
        if "run" not in self.actions:
            raise UnknownAction
        self.check_input(user_input)
        account = self.execution.run
        account.require_quota()
        run = background.start(
            self.session,
            user_input=user_input,
            location_id=self.location_id,
            ui_slot_selector_id=self.context.get("ui_slot_selector_id"),
            account=account,
        )
        return StatusResult(
            status="processing", extra={"task_id": run.task_id, "message": _("The AI is working on it.")}
        )

    @action(asks_model=False, replayable=False, keeps_nothing=True)
    def get_run_status(self, _user_input: Any) -> Result:
        return _state(background.state(background.current(self.session)))

    @action(asks_model=False, always_allowed=True, keeps_nothing=True)
    def cancel_run(self, _user_input: Any) -> Result:
        return _state(background.state(background.cancel(self.session)))


class ScopedSessionOrchestrator(SessionBasedOrchestrator):
    """Has one session for each person, workflow and course, independent of the location."""

    @property
    def session_location(self) -> UsageKey | None:
        return None


def _state(fields: dict[str, Any]) -> StatusResult:
    return StatusResult(status=fields["status"], extra=fields)
