from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.conftest import HERE, Api

SSE, JSON = {"Accept": "text/event-stream"}, {"Accept": "application/json"}


def options(**config: Any) -> dict[str, Any]:
    """A patch with these options of the response component."""
    return {"actuator_config": {"UIComponents": {"response": {"config": config}}}}


WHOLE = {"processor_config": {"LLMProcessor": {"stream": False}}}


class Rater(Api):
    """A person who asks, and rates what they get."""

    def ask(self, text: Any = None, *, headers: Any = SSE, **more: Any) -> str:
        """The id of the run of an answer."""
        response = self.run(text, headers=headers, **more)
        assert response.status_code == 200, response.content
        if not response.streaming:
            return response.json().get("run_id", "")
        body = b"".join(response.streaming_content).decode()
        return json.loads(body.partition("data: ")[2].partition("\n")[0])["run_id"]

    def rate(self, run_id: Any, context: Any = HERE, **said: Any):
        url = self.url("aiext_feedback", context)
        return self.client.post(url, json.dumps({"run_id": run_id, **said}), content_type="application/json")


@pytest.fixture
def page(provider, make_scope, learner) -> Rater:
    make_scope()
    return Rater(learner)
