from __future__ import annotations

import json
from typing import Any

import pytest

from openedx_ai_extensions.models import AIWorkflowScope, AIWorkflowSession
from tests.api.conftest import Api
from tests.conftest import SECRET

CHAT = "base/chat.json5"
SSE = {"Accept": "text/event-stream"}
JSON = {"Accept": "application/json"}


class Chat:
    """A learner in a conversation, through the REST endpoints."""

    def __init__(self, user: Any, **context: Any) -> None:
        self.api = Api(user)
        self.user = user

    def say(self, text: Any = None, *, headers: Any = JSON, **body: Any):
        return self.api.run(text, headers=headers, **body)

    def answer(self, text: Any = None) -> str:
        response = self.say(text)
        assert response.status_code == 200, response.content
        return response.json()["response"]

    def stream(self, text: Any = None) -> str:
        response = self.say(text, headers={})
        return b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()

    def events(self, text: Any = None) -> list[tuple[str, dict[str, Any]]]:
        """The server-sent events of a turn."""
        return events_of(self.say(text, headers=SSE))

    def do(self, action: str, user_input: Any = None) -> Any:
        response = self.api.run(user_input, action=action)
        assert response.status_code == 200, response.content
        return response.json()

    def shown(self) -> list[tuple[str, str]]:
        """Role and text of what a widget that opens gets."""
        return [(message["role"], message["content"]) for message in json.loads(self.answer())["messages"]]

    @property
    def session(self) -> AIWorkflowSession:
        """The person's only one; a new one, not stored, if there is none."""
        found = AIWorkflowSession.objects.filter(user=self.user).first()
        if found is not None:
            return found
        scope = AIWorkflowScope.objects.get()
        return AIWorkflowSession(user=self.user, scope=scope, profile=scope.profile)


def events_of(response: Any) -> list[tuple[str, dict[str, Any]]]:
    """Name and data of each server-sent event of an answer."""
    body = b"".join(response.streaming_content).decode()
    blocks = [block.split("\n", 1) for block in body.strip().split("\n\n") if not block.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


@pytest.fixture
def chat(learner, provider, make_scope) -> Chat:
    make_scope(base_filepath=CHAT, slug="chat")
    return Chat(learner)


@pytest.fixture
def responses(provider, settings):
    """The provider, remembering conversations as OpenAI does."""
    settings.AI_EXTENSIONS = {
        "default": {
            "MODEL": "openai/gpt-fake",
            "API_KEY": SECRET,
            "API_BASE": provider.base_url,
            "CAPABILITIES": {"keeps_threads": True, "runs_mcp": True},
        }
    }
    return provider


@pytest.fixture(params=["chat", "responses", "anthropic"])
def api(request, provider, settings) -> str:
    """The provider by each of its APIs."""
    entry = {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": provider.base_url}
    if request.param == "responses":
        entry["CAPABILITIES"] = {"keeps_threads": True}
    if request.param == "anthropic":
        entry |= {"MODEL": "anthropic/claude-fake", "API_BASE": provider.anthropic_url}
    settings.AI_EXTENSIONS = {"default": entry}
    return request.param


@pytest.fixture
def dice_chat(api, learner, make_scope) -> Chat:
    """A chat whose model may roll dice."""
    patch = {"processor_config": {"LLMProcessor": {"enabled_tools": ["roll_dice"]}}}
    make_scope(base_filepath=CHAT, slug="chat", patch=patch)
    return Chat(learner)
