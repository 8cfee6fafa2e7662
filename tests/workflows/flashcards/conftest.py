from __future__ import annotations

import json
from typing import Any

import pytest

from openedx_ai_extensions.models import AIWorkflowSession
from tests.api.conftest import Api
from tests.fakes.steps import Say

FLASHCARDS = "base/flashcards.json5"


def cards(*questions: str) -> str:
    """What a model says that writes these cards."""
    return json.dumps({"cards": [{"question": text, "answer": f"Answer to {text}"} for text in questions]})


class Stack:
    """A learner's flashcards, through the REST endpoints."""

    def __init__(self, user: Any, provider: Any) -> None:
        self.api = Api(user)
        self.user = user
        self.provider = provider

    def do(self, action: str, user_input: Any = None, **call: Any):
        return self.api.run(user_input, action=action, **call)

    def make(self, *questions: str, number: int | None = None) -> list[dict[str, Any]]:
        self.provider.then(Say(cards(*questions)))
        response = self.do("run", {"num_cards": number})
        assert response.status_code == 200, response.content
        assert response.json()["status"] == "completed"
        return response.json()["response"]

    def shown(self) -> list[dict[str, Any]] | None:
        answer = self.do("get_current_session_response").json()
        assert set(answer) == {"cards", "status"}
        assert answer["status"] == ("completed" if answer["cards"] else "no_flashcards")
        return answer["cards"]

    def save(self, *saved: dict[str, Any]):
        return self.do("save", {"card_stack": {"cards": list(saved), "title": "mine"}})

    @property
    def session(self) -> AIWorkflowSession:
        return AIWorkflowSession.objects.get(user=self.user)


@pytest.fixture
def stack(learner, provider, make_scope) -> Stack:
    make_scope(base_filepath=FLASHCARDS, slug="flashcards")
    return Stack(learner, provider)
