from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.tools import registry
from tests.api.conftest import Api
from tests.public_extension import orchestrators  # noqa: F401  # its tools must be there before they are kept aside

TEMPLATES = Path(__file__).with_name("templates")
HERE = "tests.public_extension.orchestrators"


@pytest.fixture(autouse=True)
def _forgotten_tools(monkeypatch):
    monkeypatch.setattr(registry, "_tools", dict(registry._tools))


@pytest.fixture
def serve(provider, settings, make_scope):
    """Put a workflow into the slot: the extension's own template, or one of its other orchestrators with a prompt."""
    settings.WORKFLOW_TEMPLATE_DIRS = [conf.BUILT_IN_TEMPLATE_DIR, TEMPLATES]

    def make(orchestrator: str = "Coach", **coach: Any):
        if orchestrator == "Coach":
            patch = {"processor_config": {"CoachProcessor": coach}}
            return make_scope(base_filepath="coach/coach.json5", patch=patch, slug="coach")
        patch = {
            "orchestrator_class": f"{HERE}.{orchestrator}",
            "processor_config": {"LLMProcessor": {"prompt": "You are kind.", **coach}},
        }
        return make_scope(patch=patch, slug=orchestrator.lower())

    return make


@pytest.fixture
def learner_api(learner) -> Api:
    return Api(learner)


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content).decode() if response.streaming else json.loads(response.content)
