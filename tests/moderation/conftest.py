from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openedx_ai_extensions.models import AIWorkflowRun
from tests.api.conftest import Api
from tests.conftest import SECRET
from tests.moderation.endpoint import Endpoint

BAD = "kraxel"  # the word that the site does not want to read
PHRASE = "purple elephant"
SSE = {"Accept": "text/event-stream"}
JSON = {"Accept": "application/json"}


@pytest.fixture
def listed(settings) -> None:
    """The site has a list of words for both directions."""
    settings.AI_EXTENSIONS_MODERATORS = {"words": {"KIND": "words", "WORDS": [BAD, PHRASE]}}
    settings.AI_EXTENSIONS_MODERATION = {"before": ["words"], "after": ["words"]}


@pytest.fixture
def endpoint(settings, provider) -> Iterator[Endpoint]:
    """The site asks a moderation endpoint about both directions."""
    with Endpoint() as running:
        settings.AI_EXTENSIONS = {
            **settings.AI_EXTENSIONS,
            "moderation": {
                "MODEL": "openai/omni-moderation-latest",
                "API_KEY": SECRET,
                "API_BASE": running.url,
                "PROCESSOR": "Example University",
            },
        }
        settings.AI_EXTENSIONS_MODERATORS = {"endpoint": {"KIND": "provider", "PROVIDER": "moderation"}}
        settings.AI_EXTENSIONS_MODERATION = {"before": ["endpoint"], "after": ["endpoint"]}
        yield running


@pytest.fixture
def pipeline(settings) -> Callable[..., None]:
    """Put steps of ``tests.moderation.steps`` into a filter's pipeline."""

    def put(point: Any, *steps: Any) -> None:
        names = [f"{step.__module__}.{step.__name__}" for step in steps]
        configured = getattr(settings, "OPEN_EDX_FILTERS_CONFIG", {})
        settings.OPEN_EDX_FILTERS_CONFIG = {
            **configured,
            point.filter_type: {"pipeline": names, "fail_silently": False},
        }

    return put


@pytest.fixture
def as_learner(learner) -> Api:
    return Api(learner)


def the_run() -> AIWorkflowRun:
    return AIWorkflowRun.objects.get()
