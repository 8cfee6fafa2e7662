"""Events over a real Redis, to a real consumer in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from importlib.util import find_spec

import pytest
from django.conf import settings as site
from django.db import connection
from openedx_events.data import EventsMetadata

from openedx_ai_extensions.events import AI_ORCHESTRATION_REQUESTED
from openedx_ai_extensions.models import AIWorkflowSession
from tests.conftest import SECRET
from tests.events.conftest import request_for
from tests.tools.conftest import key
from tests.waiting import PATIENCE, eventually
from tests.workflows.test_resolution_processes import redis_answers

pytestmark = [
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(find_spec("edx_event_bus_redis") is None, reason="edx-event-bus-redis is not installed"),
    pytest.mark.skipif(not redis_answers(), reason="no Redis answers at 127.0.0.1:6379"),
]

BUS = site.REDIS_URL


@pytest.fixture
def topic(settings):
    """A topic of this test's own, which is gone afterwards."""
    import redis

    settings.EVENT_BUS_REDIS_CONNECTION_URL = BUS
    name = f"ai-test-{uuid.uuid4().hex}"
    yield name
    redis.Redis.from_url(BUS).delete(name)


@pytest.fixture
def process(topic, provider, tmp_path):
    """Start a Python process of the same site, with the bus."""
    database = {name: connection.settings_dict[name] for name in ("ENGINE", "NAME", "USER", "HOST", "OPTIONS")}
    cache = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path / "cache")}
    changed = {
        "DATABASES": {"default": {**database, "NAME": str(database["NAME"])}},
        "CACHES": {"default": cache},
        "AI_EXTENSIONS": {
            "default": {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": provider.base_url},
        },
        "EVENT_BUS_REDIS_CONNECTION_URL": BUS,
    }
    started = []

    def start(*arguments):
        environment = {
            **os.environ,
            "PYTHONPATH": str(site.REPO),
            "DJANGO_SETTINGS_MODULE": "tests.events.bus_settings",
            "BUS_SETTINGS": json.dumps(changed),
            "BUS_TOPIC": topic,
        }
        child = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


@pytest.fixture
def consumer(process, topic):
    """A consumer that reads all of the topic; ``log()`` stops it and gives what it logged."""

    def start():
        backlog = json.dumps({"check_backlog": True, "consumer_name": "one"})
        return process("-m", "django", "consume_events", "-t", topic, "-g", "ai", "--extra", backlog)

    return start


@pytest.fixture
def send(topic):
    """Put an event on the bus, as another service does."""
    from edx_event_bus_redis import create_producer

    def send_event(orchestration, event_id=None):
        metadata = EventsMetadata(event_type=AI_ORCHESTRATION_REQUESTED.event_type, id=event_id or uuid.uuid1())
        create_producer().send(
            signal=AI_ORCHESTRATION_REQUESTED,
            topic=topic,
            event_key_field="orchestration.user_id",
            event_data={"orchestration": orchestration},
            event_metadata=metadata,
        )

    return send_event


def lines_of(child, count):
    """The consumer's log, up to so many outcomes."""
    lines = []
    while sum("event.orchestration." in line for line in lines) < count:
        line = child.stdout.readline()
        assert line, "".join(lines)
        lines.append(line)
    return lines


def outcomes(lines):
    found = [line.split() for line in lines if "event.orchestration." in line]
    return [words[2].removeprefix("code=") if len(words) > 2 else words[0].rpartition(".")[2] for words in found]


def test_what_the_bus_delivers_runs_with_the_rights_of_the_person(learner, provider, make_scope, send, consumer):
    make_scope(base_filepath="base/chat.json5", course_id=None)
    event_id = uuid.uuid1()
    send(request_for(learner), event_id)
    send(request_for(learner), event_id)
    send(request_for(learner, location_id=key("vertical/unit_teacher_notes")))
    send(request_for(learner, user_id=0))
    send(request_for(learner, user_input="my secret wish"))
    send(request_for(learner, user_input='"And then?"'))
    lines = lines_of(consumer(), 6)
    refused = ["permission_denied", "permission_denied", "validation_error"]
    assert outcomes(lines) == ["completed", "duplicate_request", *refused, "completed"]
    assert len(provider.requests) == 2
    thread = AIWorkflowSession.objects.get(user=learner).get_local_thread()
    assert [message["content"] for message in thread if message["role"] == "user"] == ["Why?", "And then?"]
    assert "wish" not in "".join(lines)


def test_a_consumer_that_was_killed_goes_on_where_it_was(learner, provider, make_scope, send, consumer):
    make_scope(base_filepath="base/chat.json5")
    provider.hang(300)
    send(request_for(learner))
    first = consumer()
    eventually(lambda: provider.requests)
    first.kill()
    first.wait()
    provider.go_on()
    provider.reply("Because.")
    send(request_for(learner, user_input='"And then?"'))
    # What was under way may have been answered, and is not asked twice; what came after is.
    assert outcomes(lines_of(consumer(), 2)) == ["duplicate_request", "completed"]
    assert len(provider.requests) == 2


SENDER = """
import django, sys
django.setup()
from openedx_ai_extensions.events import AI_ORCHESTRATION_REQUESTED, AIOrchestrationData
from tests.conftest import COURSE_ID, SLOT, UNIT_ID
AI_ORCHESTRATION_REQUESTED.send_event(orchestration=AIOrchestrationData(
    user_id=int(sys.argv[1]), course_id=COURSE_ID, location_id=UNIT_ID, ui_slot_selector_id=SLOT, user_input='"Why?"'))
"""


def test_a_sender_that_is_a_consumer_too_runs_it_once(learner, provider, make_scope, process, consumer):
    make_scope(base_filepath="base/chat.json5")
    sender = process("-c", SENDER, str(learner.pk))
    output, _error = sender.communicate(timeout=PATIENCE)
    assert (sender.returncode, outcomes(output.splitlines())) == (0, ["completed"]), output
    assert outcomes(lines_of(consumer(), 1)) == ["duplicate_request"]
    assert len(provider.requests) == 1
