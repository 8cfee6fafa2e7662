"""The public surface is enough: a package of somebody else, installed beside this one, serves a widget over REST."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode
from zipfile import ZipFile

import pytest
from django.urls import reverse
from django.utils.module_loading import import_string

from tests.conftest import COURSE_ID, SECRET, UNIT_ID
from tests.fakes.provider import FakeProvider
from tests.fakes.steps import CallTools, Say, ToolCall
from tests.settings import REPO

HERE = Path(__file__).parent
JSON = "application/json"
OTHER_UNIT_ID = UNIT_ID.replace("unit_sunlight", "unit_chlorophyll")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A directory with the package and its entry points, as an installer leaves them."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site-packages")
    shutil.copytree(HERE / "sample_ai_extension", source / "sample_ai_extension")
    shutil.copy(HERE / "pyproject.toml", source)
    # The build backend by itself: building in isolation would download it for each run.
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(source)], cwd=source, check=True, capture_output=True)
    (wheel,) = source.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


@pytest.fixture(scope="module")
def provider():
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def site(installed, provider, tmp_path_factory):
    """A site on which the package is installed, in a process of its own; returns a function that asks it."""
    providers = {"default": {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": provider.base_url}}
    # Under a capability record of the package's own, the same server.
    providers["vllm"] = {**providers["default"], "MODEL": "hosted_vllm/gpt-fake"}
    changed = {"AI_EXTENSIONS": providers}
    child = subprocess.Popen(
        [sys.executable, HERE / "site_process.py", tmp_path_factory.mktemp("site"), json.dumps(changed)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO), str(installed)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(method, name, slot, body=None, location=UNIT_ID, accept=JSON):
        context = {"courseId": COURSE_ID, "locationId": location, "uiSlotSelectorId": slot}
        path = f"{reverse(f'openedx_ai_extensions:api:v1:{name}')}?{urlencode({'context': json.dumps(context)})}"
        child.stdin.write(json.dumps({"method": method, "path": path, "body": body, "accept": accept}) + "\n")
        child.stdin.flush()
        answer = json.loads(child.stdout.readline())
        return answer["status"], answer["body"]

    yield ask
    child.kill()
    child.communicate()


@pytest.fixture
def act(site, provider):
    """Ask for an action; the status and the parsed answer."""
    provider.reset()

    def post(slot, action, user_input=None, **where):
        status, body = site("POST", "aiext_workflows", slot, {"action": action, "user_input": user_input}, **where)
        return status, json.loads(body)

    return post


def test_the_widget_gets_the_components_of_the_packages_template(site):
    _status, body = site("GET", "aiext_ui_config", "plan")
    assert json.loads(body)["ui_components"]["request"]["config"] == {"buttonText": "Plan my week"}


def test_the_orchestrator_asks_by_its_own_processor_and_keeps_the_answer(act, provider):
    assert act("plan", "clear_session")[0] == 200
    assert act("plan", "get_current_session_response")[1]["response"] is None
    provider.reply("Monday: light.")
    assert act("plan", "run", "I have evenings only.") == (200, {"response": "Monday: light.", "status": "completed"})
    (request,) = provider.requests
    system, words = (message["content"] for message in request["messages"])
    assert "Plan 7 days of study" in system
    assert "<course_content>" in system
    assert "evenings only" in words
    # One session for the course, wherever the learner is.
    _status, answer = act("plan", "get_current_session_response", location=OTHER_UNIT_ID)
    assert answer["response"] == {"plan": "Monday: light.", "model": "gpt-fake", "done": []}


def test_its_own_action_and_its_error(act, provider):
    act("plan", "clear_session")
    status, answer = act("plan", "tick_off", "Monday")
    assert (status, answer["error"]["code"]) == (400, "validation_error")
    assert answer["error"]["message"] == "There is no plan yet."
    act("plan", "run")
    assert act("plan", "tick_off", "Monday") == (200, {"response": ["Monday"], "status": "completed", "left": 6})


@pytest.mark.parametrize("action", ["not_an_action", "course_content", "get_orchestrator", "__init__", "session"])
def test_what_it_does_not_publish_is_out_of_reach(act, action):
    assert act("plan", action)[1]["error"]["code"] == "unknown_action"


def test_the_model_calls_its_tool_for_this_learner_here(act, provider):
    provider.then(CallTools(ToolCall("minutes_to_read", {"words": 401})), Say("Three minutes."))
    assert act("plan", "run")[1]["response"] == "Three minutes."
    offered, asked = provider.requests
    (tool,) = offered["tools"]
    assert tool["function"]["parameters"]["properties"]["words"]["description"] == "How many words."
    assert tool["function"]["parameters"]["required"] == ["words"]
    result = asked["messages"][-1]["content"]
    assert '"minutes": 3' in result
    assert '"learner": "learner"' in result
    assert COURSE_ID in result


def test_an_orchestrator_that_streams(site):
    assert site("POST", "aiext_workflows", "countdown", {"action": "run"}, accept="*/*") == (
        200,
        "3 learner 2 learner 1 learner ",
    )


def test_its_record_says_what_another_kind_of_provider_can_do(site, provider):
    provider.reset()
    assert site("POST", "aiext_workflows", "vllm", {"action": "run"}, accept="*/*") == (200, "Hello from the model.")
    (request,) = provider.requests
    assert request["stream"] is True
    assert "stream_options" not in request


@pytest.mark.parametrize(
    "name",
    [
        "events.AI_ORCHESTRATION_REQUESTED",
        "events.AIOrchestrationData",
        "processors.ContentLibraryProcessor",
        "processors.EducatorAssistantProcessor",
        "processors.LLMProcessor",
        "processors.OpenEdXProcessor",
        "processors.SubmissionProcessor",
        "tools.llm_tool",
        "workflows.orchestrators.BaseOrchestrator",
        "workflows.orchestrators.action",
        "workflows.orchestrators.session_based_orchestrator.ScopedSessionOrchestrator",
        "workflows.orchestrators.session_based_orchestrator.SessionBasedOrchestrator",
        # As the public implementation has them.
        "events.data.AIOrchestrationRequestData",
        "functions.decorators.llm_tool",
        "processors.llm.llm_processor.LLMProcessor",
        "processors.openedx.openedx_processor.OpenEdXProcessor",
        "workflows.orchestrators.base_orchestrator.BaseOrchestrator",
        "workflows.orchestrators.direct_orchestrator.DirectLLMResponse",
        "workflows.orchestrators.direct_orchestrator.EducatorAssistantOrchestrator",
        "workflows.orchestrators.flashcards_orchestrator.FlashCardsOrchestrator",
        "workflows.orchestrators.mock_orchestrator.MockResponse",
        "workflows.orchestrators.mock_orchestrator.MockStreamResponse",
        "workflows.orchestrators.threaded_orchestrator.ThreadedLLMResponse",
        "xapi.constants.ALL_EVENTS",
        "xapi.constants.EVENT_NAME_WORKFLOW_COMPLETED",
        "xapi.constants.EVENT_NAME_WORKFLOW_INITIALIZED",
        "xapi.constants.EVENT_NAME_WORKFLOW_INTERACTED",
    ],
)
def test_the_names_that_authors_import(name):
    assert import_string(f"openedx_ai_extensions.{name}") is not None


def test_who_may_not_see_the_place_does_not_reach_it(act, provider):
    notes = UNIT_ID.replace("unit_sunlight", "unit_teacher_notes")
    status, answer = act("plan", "run", location=notes)
    assert (status, answer["error"]["code"]) == (403, "permission_denied")
    assert not provider.requests
