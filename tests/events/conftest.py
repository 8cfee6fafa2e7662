from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from openedx_ai_extensions.events import AI_ORCHESTRATION_REQUESTED, AIOrchestrationData
from tests.conftest import COURSE_ID, SLOT, UNIT_ID
from tests.edxapp.exports import COURSE, write_directory

OTHER_COURSE = "course-v1:Org+C1+r1"


def request_for(user: Any, **fields: Any) -> AIOrchestrationData:
    """What is asked for the demo's unit on sunlight, unless ``fields`` say otherwise."""
    place = {"course_id": COURSE_ID, "location_id": UNIT_ID, "ui_slot_selector_id": SLOT}
    return AIOrchestrationData(**{"user_id": user.pk, "user_input": json.dumps("Why?"), **place, **fields})


class Outcomes:
    """How the events of a test went, as the log tells it."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._seen = 0

    def of(self, orchestration: AIOrchestrationData, metadata: Any = None) -> str:
        """Send an event; its outcome: ``completed``, the code of a refusal, or ``failed``."""
        if metadata is None:
            AI_ORCHESTRATION_REQUESTED.send_event(orchestration=orchestration)
        else:
            AI_ORCHESTRATION_REQUESTED.send_event_with_custom_metadata(metadata, orchestration=orchestration)
        new = [record.getMessage() for record in self._caplog.records[self._seen :]]
        self._seen = len(self._caplog.records)
        lines = [line for line in new if line.startswith("event.orchestration.")]
        return ",".join(re.sub(r"event\.orchestration\.(\w+) event=\S+( code=(\w+))?.*", r"\3", line) or
                        line.split()[0].rpartition(".")[2] for line in lines)  # fmt: skip


@pytest.fixture
def outcome(caplog) -> Callable[..., str]:
    caplog.set_level(logging.INFO)
    return Outcomes(caplog).of


@pytest.fixture
def consuming(settings, transactional_db) -> None:
    """The site runs what events ask for."""
    settings.AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER = True


@pytest.fixture
def two_courses(settings, tmp_path) -> None:
    """The demo course, and one that another learner takes."""
    settings.AI_EXTENSIONS_STANDALONE = {
        "COURSES": [
            *settings.AI_EXTENSIONS_STANDALONE["COURSES"],
            {
                "path": write_directory(COURSE, tmp_path / "course"),
                "learners": ["stranger"],
                "staff": ["author"],
            },
        ]
    }
