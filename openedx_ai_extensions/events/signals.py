"""The events that this app knows beside the platform's own, as ``openedx-events`` wants them written."""

from __future__ import annotations

from typing import Any

import attr
from openedx_events.tooling import OpenEdxPublicSignal


def _text(value: Any) -> str:
    """Keys may come as opaque keys; what is not known, as None."""
    return "" if value is None else str(value)


@attr.s(frozen=True)
class AIOrchestrationData:
    """A workflow's action that somebody is to be given the answer of.

    Attributes:
        user_id: whom it runs for, with that person's rights.
        course_id: course key; empty outside of courses, or to take it from the location.
        location_id: usage key; empty for the course itself.
        ui_slot_selector_id: the slot that the workflow's scope serves.
        user_input: JSON of what a widget would send as ``user_input``; empty for nothing.
        action: a published action of the workflow's orchestrator.
    """

    user_id = attr.ib(type=int)
    ui_slot_selector_id = attr.ib(type=str)
    course_id = attr.ib(type=str, default="", converter=_text)
    location_id = attr.ib(type=str, default="", converter=_text)
    # The bus logs an event that it fails to deliver: no word of a person's belongs there.
    user_input = attr.ib(type=str, default="", converter=_text, repr=False)
    action = attr.ib(type=str, default="run")


# .. event_type: org.openedx.ai_extensions.orchestration.requested.v1
# .. event_name: AI_ORCHESTRATION_REQUESTED
# .. event_description: a service wants a workflow to run an action for a person.
# .. event_data: AIOrchestrationData
AI_ORCHESTRATION_REQUESTED = OpenEdxPublicSignal(
    event_type="org.openedx.ai_extensions.orchestration.requested.v1",
    data={"orchestration": AIOrchestrationData},
)
