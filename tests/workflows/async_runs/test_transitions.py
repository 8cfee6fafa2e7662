"""Whatever happens in whatever state: what the person then sees, and what was done. No worker: the test plays it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from openedx_ai_extensions.exceptions import RunCancelled
from openedx_ai_extensions.execution.background import Lease, final_fields
from openedx_ai_extensions.models import AIWorkflowAsyncRun
from openedx_ai_extensions.tasks import run_workflow
from tests.fakes.steps import Say
from tests.workflows.flashcards.conftest import cards

pytestmark = pytest.mark.django_db

Status = AIWorkflowAsyncRun.Status
ASKED, OTHER = {"num_cards": 2}, {"num_cards": 3}
LONG = timedelta(hours=1)

STATES = {
    "queued": {},
    "queued for too long": {"queued_at": -LONG},
    "running": {"status": Status.RUNNING, "lease_until": LONG, "started_at": -timedelta(seconds=9)},
    "running, worker dead": {"status": Status.RUNNING, "lease_until": -LONG, "started_at": -timedelta(seconds=9)},
    "running, worker killed at its limit": {"status": Status.RUNNING, "lease_until": -LONG, "started_at": -LONG},
    "completed": {"status": Status.COMPLETED, "answer": {"response": ["old"], "status": "completed"}},
    "failed": {"status": Status.FAILED, "error": "It broke.", "code": "processor_error"},
    "timeout": {"status": Status.TIMEOUT, "error": "It was late."},
    "cancelled": {"status": Status.CANCELLED},
}


def in_state(person, name):
    """A run in this state; returns its task's id."""
    task_id = person.start(ASKED)
    changes = dict(STATES[name])
    if "status" in changes and changes["status"] != Status.RUNNING:
        changes = final_fields(**changes)
    fields = {key: timezone.now() + value if isinstance(value, timedelta) else value for key, value in changes.items()}
    if fields:
        AIWorkflowAsyncRun.objects.filter(task_id=task_id).update(**fields)
    return task_id


def worker_finishes(_person, task_id):
    """The worker that had begun the run comes to its end."""
    run = AIWorkflowAsyncRun.objects.get(task_id=task_id)
    Lease(run).end(**final_fields(Status.COMPLETED, answer={"response": ["new"], "status": "completed"}))


def worker_reports(_person, task_id):
    run = AIWorkflowAsyncRun.objects.get(task_id=task_id)
    try:
        Lease(run).report(0.5, "Half way.")
    except RunCancelled:
        assert run.status != Status.RUNNING


EVENTS = {
    "is looked at": lambda person, _task: person.do("get_run_status"),
    "is cancelled": lambda person, _task: person.do("cancel_run"),
    "is cleared": lambda person, _task: person.do("clear_session"),
    "is asked for again": lambda person, _task: person.do("run_async", ASKED),
    "another is asked for": lambda person, _task: person.ask("run_async", OTHER),
    "is delivered": lambda _person, task: run_workflow.apply((task,)),
    "its worker finishes": worker_finishes,
    "its worker reports": worker_reports,
}

# What the person sees after: by state, in the order of EVENTS. A star: a model was asked. A plus: it is a new run.
SEEN = {
    "queued": "processing cancelled idle processing processing completed* processing processing",
    "queued for too long": "timeout timeout idle processing+ processing+ timeout timeout timeout",
    "running": "processing cancelled idle processing processing processing completed processing",
    "running, worker dead": "failed failed idle processing+ processing+ failed completed processing",
    "running, worker killed at its limit": "timeout timeout idle processing+ processing+ timeout completed processing",
    "completed": "completed completed idle processing+ processing+ completed completed completed",
    "failed": "failed failed idle processing+ processing+ failed failed failed",
    "timeout": "timeout timeout idle processing+ processing+ timeout timeout timeout",
    "cancelled": "cancelled cancelled idle processing+ processing+ cancelled cancelled cancelled",
}
MATRIX = [
    pytest.param(state, event, seen, id=f"{state} and {event}")
    for state, row in SEEN.items()
    for event, seen in zip(EVENTS, row.split(), strict=True)
]


@pytest.mark.parametrize(("state", "event", "seen"), MATRIX)
def test_every_event_in_every_state(person, provider, state, event, seen):
    provider.reply(cards("One?", "Two?"))
    task_id = in_state(person, state)
    EVENTS[event](person, task_id)
    after = person.state
    assert after["status"] == seen.rstrip("*+")
    assert len(provider.requests) == ("*" in seen)
    stored = person.do("get_current_session_response")["cards"]
    assert len(stored or ()) == (2 if "*" in seen else 0)
    if seen == "idle":
        assert after == {"status": "idle"}
        assert not AIWorkflowAsyncRun.objects.exists()
        return
    row = person.row
    assert (row.task_id != task_id) is ("+" in seen)
    assert (row.user_input is None) is (row.status not in row.ACTIVE), "what was asked is kept no longer than needed"


@pytest.mark.parametrize("state", STATES)
def test_a_task_delivered_three_times_is_done_once(person, provider, state):
    provider.reply(cards("One?", "Two?"))
    task_id = in_state(person, state)
    for _number in range(3):
        run_workflow.apply((task_id,))
    assert len(provider.requests) == (state == "queued")


def test_a_task_of_a_run_that_has_gone(person, provider):
    task_id = person.start(ASKED)
    person.do("clear_session")
    run_workflow.apply((task_id,))
    assert provider.requests == []
    assert person.state == {"status": "idle"}


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("queued", {"status": "processing", "message": "Waiting for the AI."}),
        ("running", {"status": "processing", "message": "The AI is working on it."}),
        ("completed", {"status": "completed", "response": ["old"]}),
        ("failed", {"status": "failed", "error": "It broke.", "code": "processor_error"}),
        ("timeout", {"status": "timeout", "error": "It was late."}),
        ("cancelled", {"status": "cancelled"}),
    ],
)
def test_the_words_of_each_state(person, state, answer):
    in_state(person, state)
    assert person.do("get_run_status") == answer
    cancelled = {"status": "cancelled"}
    assert person.do("cancel_run") == (cancelled if answer["status"] == "processing" else answer)


def test_the_words_of_progress(person):
    task_id = in_state(person, "running")
    worker_reports(person, task_id)
    assert person.state == {"status": "processing", "message": "Half way.", "progress": 0.5}


def test_nothing_was_ever_asked(person):
    assert person.do("get_run_status") == {"status": "idle"}
    assert person.do("cancel_run") == {"status": "idle"}


def test_another_run_while_one_is_under_way_is_refused(person):
    task_id = person.start(ASKED)
    response = person.ask("run_async", OTHER)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "duplicate_request")
    assert person.start(ASKED) == task_id


def test_a_second_run_adds_to_the_first(person, provider):
    provider.then(Say(cards("One?", "Two?")), Say(cards("Two?", "Three?")))
    for _number in range(2):
        run_workflow.apply((person.start(ASKED),))
    assert [card["question"] for card in person.state["response"]] == ["Three?"]
    shown = person.do("get_current_session_response")["cards"]
    assert [card["question"] for card in shown] == ["One?", "Two?", "Three?"]
