"""What a client may call, and what it must never reach."""

import pytest
from django.core.exceptions import ValidationError

from openedx_ai_extensions.exceptions import InvalidRequest, UnknownAction, WorkflowNotFound
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
from tests.conftest import COURSE_ID, SLOT

SAMPLES = "tests.workflows.orchestrators.samples"


@pytest.fixture
def run(make_scope, learner):
    def execute(orchestrator, action, user_input=None, **context):
        make_scope(patch={"orchestrator_class": orchestrator})
        scope = AIWorkflowScope.get_profile(course_id=COURSE_ID, ui_slot_selector_id=SLOT)
        return scope.execute(user_input=user_input, action=action, user=learner, running_context=context)

    return execute


@pytest.mark.parametrize(
    ("orchestrator", "action", "user_input", "answer"),
    [
        pytest.param("Greeter", "run", "Ada", {"response": "hello Ada", "status": "completed"}, id="published"),
        pytest.param(
            "Greeter",
            "shout",
            "hey",
            {"response": "HEY", "status": "shouted", "loud": True},
            id="own status and fields",
        ),
        pytest.param(
            "LoudGreeter",
            "run",
            "Ada",
            {"response": "HELLO Ada", "status": "completed"},
            id="an override keeps the mark",
        ),
        pytest.param("LoudGreeter", "shout", "a", {"response": "A", "status": "shouted", "loud": True}, id="inherited"),
        pytest.param("PoliteGreeter", "leave", None, {"response": "bye", "status": "completed"}, id="from a mixin"),
    ],
)
def test_published_actions_run(run, orchestrator, action, user_input, answer):
    assert run(f"{SAMPLES}.{orchestrator}", action, user_input) == answer


@pytest.mark.parametrize(
    "name",
    ["", "unmarked", "_private", "secret", "actions", "run_action", "stream", "result", "user", "profile", "__class__",
     "__init__", "run.__globals__", "Run", "run ", "get_orchestrator"],
)  # fmt: skip
def test_nothing_else_can_be_called(run, name):
    with pytest.raises(UnknownAction):
        run(f"{SAMPLES}.Greeter", name)


@pytest.mark.parametrize(
    ("orchestrator", "reason"),
    [
        pytest.param("NoSuchOne", "NoSuchOne", id="unknown short name"),
        pytest.param(f"{SAMPLES}.Missing", "Missing", id="missing attribute"),
        pytest.param("no.such.module.Thing", "no", id="missing module"),
        pytest.param(f"{SAMPLES}.NOT_AN_ORCHESTRATOR", "BaseOrchestrator", id="not an orchestrator"),
        pytest.param("os.system", "BaseOrchestrator", id="a function"),
    ],
)
def test_an_unusable_orchestrator_is_refused_at_save(make_scope, orchestrator, reason):
    with pytest.raises(ValidationError, match=reason):
        make_scope(patch={"orchestrator_class": orchestrator})


def test_an_orchestrator_that_has_gone_is_no_workflow(make_scope, learner):
    scope = make_scope()
    AIWorkflowProfile.objects.update(content_patch='{orchestrator_class: "gone.away.Orchestrator"}')
    scope = AIWorkflowScope.objects.get(pk=scope.pk)
    with pytest.raises(WorkflowNotFound):
        scope.execute(user_input=None, action="run", user=learner, running_context={})


@pytest.mark.parametrize(
    ("user_input", "words"),
    [(None, None), ("", None), ("Why?", "Why?"), ({"text": "Why?"}, "Why?"), ({}, None), ({"text": None}, None)],
    ids=["nothing", "empty", "text", "object with text", "empty object", "null text"],
)
def test_a_mock_answers_with_the_learners_words(run, user_input, words):
    answer = run("MockResponse", "run", user_input)["response"]
    assert "no AI" in answer
    assert answer.endswith(words or "asked.")


@pytest.mark.parametrize("user_input", [7, ["a"], {"question": "Why?"}, {"text": 3}], ids=repr)
def test_other_inputs_are_refused(run, user_input):
    with pytest.raises(InvalidRequest, match="user_input"):
        run("MockResponse", "run", user_input)


@pytest.mark.parametrize("accepts_stream", [True, False])
def test_a_mock_stream_says_the_same_either_way(run, accepts_stream):
    outcome = run("MockStreamResponse", "run", "naïve 学", accepts_stream=accepts_stream)
    text = b"".join(outcome).decode() if accepts_stream else outcome["response"]
    assert text.strip().endswith("You wrote: naïve 学")
