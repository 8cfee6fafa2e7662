"""Events as they travel: what Avro carries, and what the bus may say of them."""

import json

import pytest
from opaque_keys.edx.keys import CourseKey
from openedx_events.event_bus.avro.deserializer import deserialize_bytes_to_event_data
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes

from openedx_ai_extensions.events import AI_ORCHESTRATION_REQUESTED, AIOrchestrationData
from tests.conftest import COURSE_ID
from tests.events.conftest import request_for


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="all of it"),
        pytest.param({"course_id": None, "location_id": None}, id="no place"),
        pytest.param({"user_input": json.dumps({"text": "Warum blüht 🌱?", "n": [1, None]})}, id="an object"),
    ],
)
def test_an_event_survives_avro(learner, fields):
    data = {"orchestration": request_for(learner, **fields)}
    sent = serialize_event_data_to_bytes(data, AI_ORCHESTRATION_REQUESTED)
    assert deserialize_bytes_to_event_data(sent, AI_ORCHESTRATION_REQUESTED) == data


def test_keys_may_be_opaque_keys():
    data = AIOrchestrationData(user_id=1, ui_slot_selector_id="s", course_id=CourseKey.from_string(COURSE_ID))
    assert data.course_id == COURSE_ID


def test_what_the_bus_logs_of_a_lost_event_holds_no_words():
    assert "wish" not in repr(AIOrchestrationData(user_id=1, ui_slot_selector_id="s", user_input='"a wish"'))
