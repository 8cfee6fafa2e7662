"""An error of a background run is told in the language of whoever reads it, not of the worker that met it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from openedx_ai_extensions.models import AIPause, AIWorkflowAsyncRun
from openedx_ai_extensions.tasks import run_workflow
from tests.workflows.async_runs.conftest import Person
from tests.workflows.async_runs.test_transitions import ASKED
from tests.workflows.flashcards.conftest import FLASHCARDS

SAMPLES = "tests.workflows.async_runs.samples"
RESET = datetime(2900, 5, 4, 12, tzinfo=UTC)


def refused_key(provider):
    provider.fail(401)


def overdue(_provider):
    AIWorkflowAsyncRun.objects.update(queued_at=timezone.now() - timedelta(hours=1))


def lost_worker(_provider):
    now = timezone.now()
    AIWorkflowAsyncRun.objects.update(status="running", started_at=now, lease_until=now - timedelta(hours=1))


def pause(_provider):
    AIPause.objects.create(ends_at=RESET)


def announced_pause(_provider):
    AIPause.objects.create(message="Until {time} — 5 %.")


def too_many(_provider):
    AIWorkflowAsyncRun.objects.update(user_input={"num_cards": 10**6})


@pytest.mark.parametrize(
    ("happens", "orchestrator", "english", "spanish"),
    [
        (refused_key, None, "The AI service is currently unavailable.", "El servicio de IA no está disponible"),
        (overdue, None, "This could not be started in time.", "iniciar a tiempo"),
        (lost_worker, None, "This was interrupted.", "interrumpió"),
        (pause, None, "here at the moment. It will be back on May 4 at ", "4 de mayo"),
        (announced_pause, None, "Until {time} — 5 %.", "Until {time} — 5 %."),
        (too_many, None, "num_cards must be a whole number from 1 to 50", "num_cards"),
        (None, f"{SAMPLES}.Faulty", "Something went wrong. Reference: ", "Referencia: "),
        (None, f"{SAMPLES}.Hoarse", "My own {words}.", "My own {words}."),
    ],
)
@pytest.mark.parametrize("starts_in", ["en", "es"])
def test_an_error_is_told_in_the_readers_language(
    learner, provider, make_scope, use_broker, happens, orchestrator, english, spanish, starts_in
):
    use_broker("memory://")
    make_scope(base_filepath=FLASHCARDS, patch={"orchestrator_class": orchestrator} if orchestrator else None)
    readers = {language: Person(learner, headers={"Accept-Language": language}) for language in ("en", "es")}
    task_id = readers[starts_in].start(ASKED)
    if happens is not None:
        happens(provider)
    run_workflow.apply((task_id,))
    AIPause.objects.all().delete()  # or the state could not be read
    for _time in range(2):
        assert english in readers["en"].state["error"]
        assert spanish in readers["es"].state["error"]
    assert (readers["en"].state["error"] == readers["es"].state["error"]) is (english == spanish)


def test_a_row_of_an_older_version(person):
    task_id = person.start(ASKED)
    AIWorkflowAsyncRun.objects.filter(task_id=task_id).update(status="failed", code="processor_error", error="Zu spät.")
    assert person.state == {"status": "failed", "code": "processor_error", "error": "Zu spät."}
