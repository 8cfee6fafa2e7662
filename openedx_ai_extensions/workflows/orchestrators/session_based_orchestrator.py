"""Bases of orchestrators that remember."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator, action
from openedx_ai_extensions.workflows.orchestrators.outcome import Result


class SessionBasedOrchestrator(BaseOrchestrator):
    """Has one session for each person, workflow and place.

    A subclass says what the session holds by ``current_response`` and ``clear``.
    """

    @cached_property
    def session(self) -> AIWorkflowSession:
        """The session, created when there is none."""
        return AIWorkflowSession.objects.for_context(
            user=self.user, scope=self.workflow, course_id=self.course_id, location_id=self.session_location
        )

    @property
    def session_location(self) -> UsageKey | None:
        """The location that the session belongs to; None for one that spans the course."""
        location: UsageKey | None = self.location_id
        return location

    def current_response(self) -> Any:
        """What the session holds, for a widget that opens; None when it is fresh."""
        return self.session.metadata.get("response")

    def clear(self) -> None:
        """Forget what the session holds. The next request has a new one, whatever another tab still writes to this."""
        self.session.delete()
        del self.session

    @action
    def get_current_session_response(self, _user_input: Any) -> Result:
        return Result(self.current_response())

    @action
    def clear_session(self, _user_input: Any) -> Result:
        self.clear()
        return Result("", status="session_cleared")


class ScopedSessionOrchestrator(SessionBasedOrchestrator):
    """Has one session for each person, workflow and course, whatever the location."""

    @property
    def session_location(self) -> UsageKey | None:
        return None
