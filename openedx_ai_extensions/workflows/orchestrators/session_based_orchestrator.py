"""Bases of orchestrators that remember."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.exceptions import UnknownAction
from openedx_ai_extensions.execution import background
from openedx_ai_extensions.execution.lease import Lease
from openedx_ai_extensions.execution.stream import Result, StatusResult
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator, action


class SessionBasedOrchestrator(BaseOrchestrator):
    """Has one session for each person, workflow and place; ``run`` works in the background too, as ``run_async``.

    A subclass says what the session holds by ``current_response`` and ``clear``. In ``run`` it may say how far it is by
    ``report_progress``.
    """

    @cached_property
    def session(self) -> AIWorkflowSession:
        """The session, created when there is none."""
        return self.execution.session(self.session_location)

    @property
    def session_location(self) -> UsageKey | None:
        """The location that the session belongs to; None for one that spans the course."""
        location: UsageKey | None = self.location_id
        return location

    @property
    def async_run(self) -> Lease | None:
        """The run in the background that this is; None when somebody waits for the answer."""
        return self.execution.lease

    def report_progress(self, progress: float | None = None, message: str = "") -> None:
        """In the background: say how far the run is, and go on only if somebody still wants it.

        Args:
            progress: from 0 to 1; None when not known.
            message: translated, for the person who waits.

        Raises:
            RunCancelled: nobody wants it any more.
        """
        if self.async_run is not None:
            self.async_run.report(progress, message)

    def check_input(self, user_input: Any) -> None:
        """Refuse what ``run`` would refuse, before it goes to the background. Nothing here: ``run`` refuses it there.

        Raises:
            InvalidRequest: see the message.
        """

    def current_response(self) -> Any:
        """What the session holds, for a widget that opens; None when it is fresh."""
        return self.session.metadata.get("response")

    def clear(self) -> None:
        """Forget what the session holds. The next request has a new one, whatever another tab still writes to this."""
        self.session.delete()
        del self.session

    @action(asks_model=False, replayable=False)
    def get_current_session_response(self, _user_input: Any) -> Result:
        return Result(self.current_response())

    @action(asks_model=False)
    def clear_session(self, _user_input: Any) -> Result:
        self.clear()
        return Result("", status="session_cleared")

    @action(asks_model=False, asks_model_later=True)
    def run_async(self, user_input: Any) -> Result:
        """Do ``run`` in the background."""
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

    @action(asks_model=False, replayable=False)
    def get_run_status(self, _user_input: Any) -> Result:
        return _state(background.state(background.current(self.session)))

    @action(asks_model=False, always_allowed=True)
    def cancel_run(self, _user_input: Any) -> Result:
        return _state(background.state(background.cancel(self.session)))


class ScopedSessionOrchestrator(SessionBasedOrchestrator):
    """Has one session for each person, workflow and course, whatever the location."""

    @property
    def session_location(self) -> UsageKey | None:
        return None


def _state(fields: dict[str, Any]) -> StatusResult:
    return StatusResult(status=fields["status"], extra=fields)
