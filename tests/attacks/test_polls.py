"""What only reads stores nothing: a poll for each block of a course would leave a session at each."""

from __future__ import annotations

import pytest
from django.apps import apps

from openedx_ai_extensions.models import AIWorkflowSession
from tests.api.conftest import Api
from tests.fakes.steps import Say
from tests.workflows.flashcards.conftest import cards

pytestmark = pytest.mark.django_db
TEMPLATES = ["base/flashcards.json5", "base/chat.json5", "base/quiz.json5"]
READING = {
    "get_run_status": None,
    "get_current_session_response": None,
    "cancel_run": None,
    "clear_session": None,
    "lazy_load_chat_history": {"current_messages": 0},
}


def stored() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


@pytest.mark.parametrize("action", READING)
@pytest.mark.parametrize("template", TEMPLATES)
def test_reading_creates_nothing(learner, make_scope, template, action):
    make_scope(base_filepath=template)
    api = Api(learner)
    api.profile()
    before = stored()
    for _time in range(2):
        response = api.run(READING[action], action=action)
        assert response.status_code in ({200} if action != "lazy_load_chat_history" else {200, 400, 404})
    assert stored() == before


def test_reading_before_the_first_run_hides_nothing_of_it(learner, make_scope, provider):
    make_scope(base_filepath="base/flashcards.json5")
    api = Api(learner)
    assert api.run(action="get_run_status").json()["status"] == "idle"
    provider.then(Say(cards("Why?")))
    assert api.run({"num_cards": 1}).status_code == 200
    assert len(api.run(action="get_current_session_response").json()["cards"]) == 1
    assert AIWorkflowSession.objects.count() == 1
    assert api.run(action="clear_session").json()["status"] == "session_cleared"
    assert not AIWorkflowSession.objects.exists()
