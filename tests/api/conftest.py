from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import COURSE_ID, SLOT, UNIT_ID

NAMESPACE = "openedx_ai_extensions:api:v1"
HERE = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": SLOT}


class Api:
    """The endpoints, called as a browser does."""

    def __init__(self, user: Any = None, **client: Any) -> None:
        self.client = Client(**client)
        if user is not None:
            self.client.force_login(user)

    @staticmethod
    def url(name: str, context: Any = HERE, *args: str) -> str:
        raw = context if isinstance(context, str) else json.dumps(context)
        return f"{reverse(f'{NAMESPACE}:{name}', args=args)}?{urlencode({'context': raw})}"

    def profile(self, context: Any = HERE):
        return self.client.get(self.url("aiext_ui_config", context))

    def profiles(self, context: Any = HERE):
        return self.client.get(self.url("aiext_profiles_list", context))

    def course_text(self, context: Any = HERE, **query: Any):
        return self.client.get(f"{self.url('aiext_course_text', context)}&{urlencode(query)}")

    def run(
        self, user_input: Any = None, *, action: Any = "run", context: Any = HERE, headers: Any = None, **body: Any
    ):
        data = {"action": action, "user_input": user_input, **body}
        return self.post(json.dumps(data), context=context, headers=headers)

    def post(self, body: str | bytes, *, context: Any = HERE, headers: Any = None, **extra: Any):
        url = self.url("aiext_workflows", context)
        return self.client.post(url, body, content_type="application/json", headers=headers, **extra)

    def prompt(self, reference: str, context: Any = HERE):
        return self.client.get(self.url("aiext_prompt_detail", context, reference))

    def patch_prompt(self, reference: str, body: Any, context: Any = HERE, headers: Any = None):
        url = self.url("aiext_prompt_detail", context, reference)
        return self.client.patch(url, json.dumps(body), content_type="application/json", headers=headers)


@pytest.fixture
def as_learner(learner) -> Api:
    return Api(learner)


@pytest.fixture
def people(learner, author, stranger, admin_user) -> dict[str, Any]:
    return {"learner": learner, "author": author, "stranger": stranger, "admin": admin_user}


def error_of(response: Any) -> tuple[int, str]:
    body = response.json()
    assert set(body) == {"error", "status", "timestamp"}
    assert body["status"] == "error"
    message = body["error"]["message"]
    assert message
    assert "{" not in str(message)
    assert "Traceback" not in str(message)
    return response.status_code, body["error"]["code"]


def text_of(response: Any) -> str:
    return b"".join(response.streaming_content).decode()
