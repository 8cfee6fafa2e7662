"""The events that this app knows beside the platform's own, as ``openedx-events`` wants them written."""

from __future__ import annotations

import json
from typing import Any

import attr
from openedx_events.data import EventsMetadata
from openedx_events.tooling import OpenEdxPublicSignal


def _text(value: Any) -> str:
    """Keys may come as opaque keys; what is not known, as None."""
    return "" if value is None else str(value)


def _json(value: Any) -> str:
    """A text is taken to be JSON already."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, default=str)


@attr.s(frozen=True)
class AIOrchestrationData:
    """A request to run an action of a workflow for a person.

    Attributes:
        user_id: whom it runs for, with that person's rights.
        course_id: course key; empty outside of courses, or to take it from the location.
        location_id: usage key; empty for the course itself.
        ui_slot_selector_id: the slot that the workflow's scope serves.
        user_input: what a widget would send as ``user_input``, or JSON of it; empty for nothing. Kept as JSON.
        action: a published action of the workflow's orchestrator.
    """

    user_id = attr.ib(type=int)
    ui_slot_selector_id = attr.ib(type=str)
    course_id = attr.ib(type=str, default="", converter=_text)
    location_id = attr.ib(type=str, default="", converter=_text)
    # The bus logs an event that it fails to deliver: no word of a person's belongs there.
    user_input = attr.ib(type=str, default="", converter=_json, repr=False)
    action = attr.ib(type=str, default="run")


class _OrchestrationSignal(OpenEdxPublicSignal):
    """Also takes its data under the name that other packages give it."""

    def send_event(self, *args: Any, **kwargs: Any) -> Any:
        return super().send_event(*args, **_with_our_name(kwargs))

    def send_event_with_custom_metadata(self, metadata: EventsMetadata, /, **kwargs: Any) -> Any:
        return super().send_event_with_custom_metadata(metadata, **_with_our_name(kwargs))


def _with_our_name(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"orchestration" if name == "ai_orchestration_request" else name: value for name, value in kwargs.items()}


# .. event_type: org.openedx.ai_extensions.orchestration.requested.v1
# .. event_name: AI_ORCHESTRATION_REQUESTED
# .. event_description: a service wants a workflow to run an action for a person.
# .. event_data: AIOrchestrationData
AI_ORCHESTRATION_REQUESTED = _OrchestrationSignal(
    event_type="org.openedx.ai_extensions.orchestration.requested.v1",
    data={"orchestration": AIOrchestrationData},
)
