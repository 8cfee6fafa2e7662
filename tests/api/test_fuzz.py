"""Requests made up from the OpenAPI description, right ones and wrong ones: the answers are as described, and no fault.

``FUZZ_EXAMPLES=1000`` makes up that many of each kind, by chance.
"""

import json
import os
from importlib import import_module

import pytest
from django.conf import settings as site
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from openedx_ai_extensions.api.v1.openapi.generator import OPERATIONS
from openedx_ai_extensions.models import AINotice, PromptTemplate
from tests.conftest import COURSE_ID, UNIT_ID

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
ACCEPT = ("*/*", "application/json", "text/event-stream")
ROLES = ("nobody", "learner", "author", "admin")
WORKFLOWS = {
    "direct": ("base/summary.json5", {"processor_config": {"LLMProcessor": {"stream": False}}}),
    "stream": ("base/summary.json5", {}),
    "chat": ("base/chat.json5", {}),
    "quiz": ("base/quiz.json5", {}),
    "cards": ("base/flashcards.json5", {}),
    "mock": ("base/summary.json5", {"orchestrator_class": "MockStreamResponse"}),
}
LIBRARY = "lib:OpenedX:quizzes"
PROMPT = "short-words"
# A model that can do everything: what each processor needs of it, in one answer.
SAYS = json.dumps(
    {
        "cards": [{"question": "What does chlorophyll do?", "answer": "It takes in light."}],
        "collection_name": "Light",
        "questions": [
            {
                "display_name": "Leaves",
                "question_html": "<p>What colour are leaves?</p>",
                "problem_type": "stringresponse",
                "choices": [],
                "answer_value": "green",
                "tolerance": None,
                "explanation": "",
                "demand_hints": [],
            }
        ],
    }
)

pytestmark = pytest.mark.django_db


def places() -> list[dict[str, str]]:
    here = [{"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": slot} for slot in WORKFLOWS]
    return [*here, {"courseId": COURSE_ID}]


@pytest.fixture(scope="module")
def made_up():
    """The module of that name, loaded when there is something to fuzz."""
    return import_module("tests.api.made_up")


@pytest.fixture(scope="module")
def operations(made_up):
    return made_up.operations()


@pytest.fixture
def site_with_everything(provider, make_scope, settings, tmp_path):
    provider.reply(SAYS)
    settings.AI_EXTENSIONS_STANDALONE_LIBRARIES = {LIBRARY: {"path": tmp_path / "library", "editors": ["author"]}}
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 1_000_000}]
    scopes = {
        slot: make_scope(slug=slot, slot=slot, base_filepath=template, patch=patch)
        for slot, (template, patch) in WORKFLOWS.items()
    }
    notice = AINotice.objects.create(profile=scopes["direct"].profile, text="What you write here goes to a company.")
    PromptTemplate.objects.create(slug=PROMPT, body="Use short words.")
    return notice


@pytest.fixture(autouse=True)
def _one_connection():
    """A request does not close the connection of the test's transaction; Django's own test client sees to it too."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def credentials(request, people):
    """How each of the people logs in: cookies, and headers."""

    def of(name: str) -> tuple[dict[str, str], dict[str, str]]:
        token = "c" * 32
        cookies = {site.CSRF_COOKIE_NAME: token}
        if name in people:
            client = Client()
            client.force_login(people[name])
            cookies[site.SESSION_COOKIE_NAME] = client.cookies[site.SESSION_COOKIE_NAME].value
        return cookies, {"X-CSRFToken": token}

    return of


@pytest.mark.parametrize("name", [name for name, _errors in OPERATIONS.values()])
@pytest.mark.parametrize("role", ROLES)
def test_made_up_requests(site_with_everything, made_up, operations, credentials, role, name):
    cookies, headers = credentials(role)

    @seed(os.urandom(8) if EXAMPLES else f"{role} {name}")
    @settings(
        max_examples=EXAMPLES or (60 if name == "run_action" and role != "nobody" else 8),
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
    )
    @given(case=made_up.requests_to(operations[name], places(), PROMPT), accept=st.sampled_from(ACCEPT))
    def hold(case, accept):
        made_up.send(case, cookies=cookies, headers={**headers, "Accept": accept})

    hold()
