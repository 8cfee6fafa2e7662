"""The exchanges in docs/examples/rest happen as they are written there. "…" stands for whatever there is."""

import json
import re
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.utils import timezone

from openedx_ai_extensions.execution import background
from openedx_ai_extensions.models import AINotice, AIPause, AIWorkflowAsyncRun, AIWorkflowRun
from openedx_ai_extensions.tasks import run_workflow
from tests.api.conftest import Api

EXCHANGES = site.REPO / "docs" / "examples" / "rest"
DROPPED = "…"

pytestmark = pytest.mark.django_db


def is_as_written(found, written):
    if isinstance(written, str):
        beginning, dots, end = written.partition(DROPPED)
        return isinstance(found, str) and (
            found.startswith(beginning) and found.endswith(end) if dots else found == written
        )
    if isinstance(written, list):
        return len(found) == len(written) and all(map(is_as_written, found, written))
    if isinstance(written, dict):
        names = set(written) - {DROPPED}
        return (names == set(found) or (DROPPED in written and names < set(found))) and all(
            is_as_written(found[name], written[name]) for name in names
        )
    return found == written


def exchange(api, name, **changes):
    written = json.loads((EXCHANGES / f"{name}.json").read_text(encoding="utf-8"))
    response = api.post(json.dumps(written["request"] | changes))
    assert response.status_code == 200, response.content
    assert is_as_written(response.json(), written["answer"]), response.json()
    return response.json()


def question(name, **fields):
    written = json.loads((EXCHANGES / "quiz" / f"{name}.json").read_text(encoding="utf-8"))["answer"]["response"]
    found = written["question_slots"][0]["versions"][0] if name == "run" else written["question"]
    return json.dumps(
        {
            "collection_name": "Light and leaves",
            "questions": [{key: value for key, value in found.items() if key != "olx"} | fields],
        }
    )


CARD = {"question": "What does chlorophyll do?", "answer": "It takes in light, all but the green."}


def test_quiz(author, provider, make_scope, settings, tmp_path):
    settings.AI_EXTENSIONS_STANDALONE_LIBRARIES = {
        "lib:OpenedX:quizzes": {"path": tmp_path / "library", "editors": ["author"]}
    }
    make_scope(base_filepath="base/quiz.json5", slug="quiz")
    api = Api(author)
    provider.reply(question("run"))
    [slot] = exchange(api, "quiz/run")["response"]["question_slots"]
    shown_olx = (site.REPO / "docs" / "examples" / "question.xml").read_text(encoding="utf-8")
    assert slot["versions"][0]["olx"]["data"] == shown_olx.rstrip("\n")
    provider.reply(question("regenerate_question"))
    exchange(api, "quiz/regenerate_question")
    exchange(api, "quiz/get_current_session_response")
    exchange(api, "quiz/save")
    provider.reply(question("run"))
    exchange(api, "quiz/run_and_save")
    exchange(api, "quiz/clear_session")


def test_flashcards(learner, provider, make_scope):
    make_scope(base_filepath="base/flashcards.json5", slug="cards")
    api = Api(learner)
    provider.reply(json.dumps({"cards": [CARD]}))
    (card,) = exchange(api, "flashcards/run")["response"]
    exchange(api, "flashcards/get_current_session_response")
    written = json.loads((EXCHANGES / "flashcards" / "save.json").read_text(encoding="utf-8"))["request"]["user_input"]
    written["cards"][0]["id"] = card["id"]
    exchange(api, "flashcards/save", user_input=written)
    (kept,) = exchange(api, "flashcards/get_current_session_response")["cards"]
    assert kept["repetitions"] == 1


def test_background(learner, provider, make_scope, monkeypatch):
    make_scope(base_filepath="base/flashcards.json5", slug="cards")
    api = Api(learner)
    provider.reply(json.dumps({"cards": [CARD]}))
    monkeypatch.setattr(background.run_workflow, "apply_async", lambda *_args, **_kwargs: None)
    task_id = exchange(api, "background/run_async")["task_id"]
    AIWorkflowAsyncRun.objects.filter(task_id=task_id).update(progress=0.3, message="Writing cards.")
    exchange(api, "background/processing")
    run_workflow.apply((task_id,))
    exchange(api, "background/completed")
    exchange(api, "background/run_async")
    exchange(api, "background/cancel_run")


def shown(api, name, example):
    """What an endpoint that only shows something answers is as written, at any time."""
    written = (EXCHANGES / "rules" / f"{example}.json").read_text(encoding="utf-8")
    response = api.client.get(api.url(name))
    found = json.loads(re.sub(r'"\d{4}-\d\d-\d\dT[^"]*"', f'"{DROPPED}"', written))
    assert response.status_code == 200, response.content
    assert is_as_written(response.json(), found), response.json()


def test_consent(learner, provider, make_scope, settings):
    settings.AI_EXTENSIONS["default"] |= {"PROCESSOR": "Example University", "REGION": "EU"}
    make_scope()
    AINotice.objects.create(text="What you write here is sent to a company that runs the AI.")
    shown(Api(learner), "aiext_consent", "consent")


def test_limits(learner, provider, make_scope, settings):
    settings.AI_EXTENSIONS["default"]["PRICES"] = {"INPUT": 1, "OUTPUT": 1}
    settings.AI_EXTENSIONS_LIMITS = [
        {"per": "course", "period": "month", "money": 50},
        {"per": "person", "period": "day", "requests": 30},
    ]
    make_scope(patch={"processor_config": {"LLMProcessor": {"stream": False}}})
    api = Api(learner)
    assert api.run().status_code == 200
    shown(api, "aiext_limits", "limits")


def test_quiet_hours(learner, make_scope):
    make_scope()
    now = timezone.localtime(timezone.now(), timezone.get_default_timezone())
    times = [(now + timedelta(hours=hours)).time() for hours in (-1, 1)]
    AIPause.objects.create(from_time=times[0], to_time=times[1])
    shown(Api(learner), "aiext_ui_config", "profile_in_quiet_hours")


def test_feedback(learner, provider, make_scope):
    make_scope()
    api = Api(learner)
    api.run(headers={"Accept": "application/json"})
    written = json.loads((EXCHANGES / "feedback" / "give.json").read_text(encoding="utf-8"))
    AIWorkflowRun.objects.update(run_id=written["request"]["run_id"])
    response = api.client.post(api.url("aiext_feedback"), json.dumps(written["request"]), "application/json")
    assert is_as_written(response.json(), written["answer"]), response.json()
