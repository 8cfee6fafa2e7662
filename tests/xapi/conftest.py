from __future__ import annotations

import copy
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from celery import Celery, current_app
from celery.contrib.testing.worker import start_worker
from edx_django_utils.cache.utils import TieredCache
from event_routing_backends import helpers
from event_routing_backends.models import RouterConfiguration
from eventtracking import tracker
from eventtracking.django.django_tracker import override_default_tracker
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from openedx_ai_extensions.xapi import constants, events
from tests.conftest import COURSE_ID, UNIT_ID
from tests.fakes import platform_ids
from tests.fakes.tracking import RecordingBackend

USAGE = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}


@pytest.fixture
def completed(learner) -> dict[str, Any]:
    """Arguments of a run in the demo course."""
    return {
        "user": learner,
        "workflow_id": "7",
        "action": "run",
        "course_id": COURSE_ID,
        "profile_name": "summary",
        "location_id": UNIT_ID,
        "usage": USAGE,
    }


@pytest.fixture
def emit(completed) -> Callable[..., None]:
    """Emit such a run; keyword arguments change it."""
    return lambda event=constants.EVENT_COMPLETED, **changes: events.emit(event, **{**completed, **changes})


@pytest.fixture
def track(settings) -> Iterator[Callable[[dict[str, Any]], list[dict[str, Any]]]]:
    """Send events to these backends and to one that records: gives the list of what reaches that one."""
    before = tracker.get_tracker()

    def configure(backends: dict[str, Any]) -> list[dict[str, Any]]:
        recording = {"ENGINE": "tests.fakes.tracking.RecordingBackend"}
        settings.EVENT_TRACKING_BACKENDS = {**backends, "recording": recording}
        override_default_tracker()
        return RecordingBackend.events

    yield configure
    tracker.register_tracker(before)
    RecordingBackend.events.clear()


class LearningRecordStore:
    """An HTTP endpoint that keeps the statements it is sent, or refuses them."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/xapi/")
        self.status = 204
        self.requests: list[Request] = []
        self.tracked: list[dict[str, Any]] = []
        self.reached = threading.Event()
        server.expect_request("/xapi/statements", method="PUT").respond_with_handler(self._answer)

    @property
    def statements(self) -> list[dict[str, Any]]:
        return [json.loads(request.get_data()) for request in self.requests]

    def _answer(self, request: Request) -> Response:
        request.get_data()
        self.requests.append(request)
        self.reached.set()
        return Response(status=self.status)


@pytest.fixture
def lrs(db, httpserver, settings, monkeypatch, track) -> Iterator[LearningRecordStore]:
    """A record store to which event routing, as its and our plugin settings configured it, delivers."""
    store = LearningRecordStore(httpserver)
    platform_ids.install(helpers, monkeypatch)
    TieredCache.dangerous_clear_all_tiers()
    RouterConfiguration.objects.create(
        backend_name=RouterConfiguration.XAPI_BACKEND,
        route_url=store.url,
        auth_scheme=RouterConfiguration.AUTH_BASIC,
        username="lrs-user",
        password="lrs-password",
        configurations={},
        enabled=True,
    )
    settings.XAPI_EVENTS_ENABLED = True
    backends = copy.deepcopy(settings.EVENT_TRACKING_BACKENDS)
    # Event routing asks for "xapi" and stores "xAPI", which is one name to MySQL but two to SQLite.
    xapi = backends["event_transformer"]["OPTIONS"]["backends"]["xapi"]
    xapi["OPTIONS"]["backend_name"] = RouterConfiguration.XAPI_BACKEND
    store.tracked = track(backends)
    yield store
    TieredCache.dangerous_clear_all_tiers()


@pytest.fixture
def queue_at() -> Iterator[Callable[[str], Celery]]:
    """Enqueue tasks at this broker instead of running them at once."""
    before = current_app._get_current_object()

    def enqueue(broker: str) -> Celery:
        app = Celery("tests-queue", broker=broker)
        app.conf.task_default_queue = f"tests-{uuid.uuid4()}"
        return app

    yield enqueue
    before.set_current()


@pytest.fixture
def worker(transactional_db, queue_at) -> Iterator[None]:
    """A Celery worker in a thread of its own, fed through Redis."""
    broker = "redis://127.0.0.1:6379/8"
    try:
        redis.Redis.from_url(broker).ping()
    except redis.ConnectionError:
        pytest.skip("Redis is not running")
    # The worker sets the level of all logging, and leaves it so.
    with start_worker(queue_at(broker), perform_ping_check=False, loglevel="WARNING"):
        yield
