from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import SECRET
from tests.workflows.conversations.conftest import CHAT, Chat


def point_to(provider: Any, settings: Any, model: str, **more: Any) -> None:
    """Have the site ask this model, of the fake provider."""
    base_url = provider.base_url if model.startswith("openai/") else provider.anthropic_url
    settings.AI_EXTENSIONS = {"default": {"MODEL": model, "API_KEY": SECRET, "API_BASE": base_url, **more}}


@pytest.fixture
def tutor(learner, provider, make_scope, settings) -> Chat:
    """A chat that may look up links and its context."""
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    tools = ["get_location_link", "get_context"]
    make_scope(base_filepath=CHAT, slug="chat", patch={"processor_config": {"LLMProcessor": {"enabled_tools": tools}}})
    return Chat(learner)
