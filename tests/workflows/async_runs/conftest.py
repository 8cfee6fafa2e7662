from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, current_app

from openedx_ai_extensions.models import AIWorkflowAsyncRun
from tests.api.conftest import Api
from tests.workflows.flashcards.conftest import FLASHCARDS


class Person:
    """Somebody with work in the background, through the REST endpoints."""

    def __init__(self, user: Any, **call: Any) -> None:
        self.api = Api(user)
        self.user = user
        self.call = call

    def ask(self, action: str, user_input: Any = None):
        return self.api.run(user_input, action=action, **self.call)

    def do(self, action: str, user_input: Any = None) -> dict[str, Any]:
        response = self.ask(action, user_input)
        assert response.status_code == 200, response.content
        return response.json()

    def start(self, user_input: Any = None) -> str:
        answer = self.do("run_async", user_input)
        assert set(answer) == {"status", "task_id", "message"}
        assert answer["status"] == "processing"
        assert answer["message"]
        return answer["task_id"]

    @property
    def state(self) -> dict[str, Any]:
        return self.do("get_run_status")

    @property
    def row(self) -> AIWorkflowAsyncRun:
        return AIWorkflowAsyncRun.objects.get(session__user=self.user)


@pytest.fixture
def use_broker() -> Iterator[Any]:
    """Send tasks to this broker, to a queue of this test's own."""
    before = current_app._get_current_object()

    def use(broker: str, queue: str = "") -> Celery:
        app = Celery("tests-async", broker=broker)
        app.conf.task_default_queue = queue or f"tests-{uuid.uuid4()}"
        return app

    yield use
    before.set_current()


@pytest.fixture
def person(learner, provider, make_scope, use_broker) -> Person:
    """A learner whose tasks wait in memory: nobody takes them on unless the test does."""
    use_broker("memory://")
    make_scope(base_filepath=FLASHCARDS, slug="flashcards")
    return Person(learner)
