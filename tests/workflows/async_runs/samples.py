"""Orchestrators that make trouble in a worker."""

from __future__ import annotations

import time
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.workflows.orchestrators import Result, SessionBasedOrchestrator, action


class Stubborn(SessionBasedOrchestrator):
    """Does not stop when it is told to."""

    @action
    def run(self, user_input: Any) -> Result:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                time.sleep(60)
            except SoftTimeLimitExceeded:
                continue
        return self.result("late")


class Faulty(SessionBasedOrchestrator):
    """Has a fault whose words are the person's."""

    @action
    def run(self, user_input: Any) -> Result:
        raise KeyError(user_input)


class Hoarse(SessionBasedOrchestrator):
    """Fails with a text that has no translation."""

    @action
    def run(self, user_input: Any) -> Result:
        raise ProcessorError("My own {words}.")
