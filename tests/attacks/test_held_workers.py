"""Runs in the background that are begun and cancelled, in a loop, hold no more workers than one person may have."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import connections

from openedx_ai_extensions.execution import background
from openedx_ai_extensions.execution.background import Lease
from openedx_ai_extensions.models import AIWorkflowAsyncRun, AIWorkflowRun, AIWorkflowSession
from openedx_ai_extensions.tasks import run_workflow
from openedx_ai_extensions.tools import llm_tool, registry
from tests.api.conftest import error_of
from tests.conftest import SECRET
from tests.fakes.provider import CallTools, Fail, ToolCall
from tests.waiting import eventually
from tests.workflows.async_runs.conftest import Person
from tests.workflows.flashcards.conftest import FLASHCARDS

pytestmark = pytest.mark.django_db(transaction=True)

CHAT = "base/chat.json5"
TWO = {"num_cards": 2}
SOON = 10  # seconds: less than what waits for a provider looks up after by itself
ENDED_BY = {
    "cancelling": lambda person: person.do("cancel_run"),
    "clearing": lambda person: person.do("clear_session"),
    "deleting": lambda _person: AIWorkflowSession.objects.all().delete(),
}


class Silent:
    """A provider that takes requests and never says a word.

    Attributes:
        asked: how many requests came.
        open: of these, how many connections are open.
    """

    def __init__(self) -> None:
        self.asked = self.open = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _address = self._listener.accept()
                with self._lock:
                    self.asked += 1
                    self.open += 1
                threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listen(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while connection.recv(65_536):
                pass
        with self._lock:
            self.open -= 1

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def silent(settings, provider) -> Iterator[Silent]:
    server = Silent()
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": server.url}}
    yield server
    server.close()


@pytest.fixture(autouse=True)
def workers(monkeypatch, settings) -> Iterator[list[threading.Thread]]:
    """The workers that hold a task, each a thread that is there at once."""
    settings.AI_EXTENSIONS_ASYNC_LEASE = 2
    held: list[threading.Thread] = []

    def work(task_id: str) -> None:
        try:
            run_workflow(task_id)
        finally:
            connections.close_all()
            held.remove(threading.current_thread())

    def send(args: tuple[str], **_options: Any) -> None:
        thread = threading.Thread(target=work, args=args)
        held.append(thread)
        thread.start()

    monkeypatch.setattr(background.run_workflow, "apply_async", send)
    yield held
    for thread in held:
        thread.join(60)


@pytest.mark.parametrize("end", ENDED_BY.values(), ids=ENDED_BY)
@pytest.mark.parametrize(("template", "said"), [(FLASHCARDS, TWO), (CHAT, "Why?")], ids=["whole", "streamed"])
def test_a_provider_that_has_said_nothing_is_left(learner, make_scope, silent, workers, template, said, end):
    make_scope(base_filepath=template)
    person = Person(learner)
    person.start(said)
    eventually(lambda: silent.open == 1)
    end(person)
    eventually(lambda: not workers and not silent.open, SOON)
    row = AIWorkflowRun.objects.get()
    assert (row.outcome, row.is_estimated, row.prompt_tokens > 0, row.completion_tokens) == ("cancelled", True, True, 0)
    assert silent.asked == 1
    if template == CHAT and end is not ENDED_BY["cancelling"]:
        assert person.do("get_current_session_response")["response"] is None


@pytest.mark.parametrize("end", ENDED_BY.values(), ids=ENDED_BY)
def test_so_is_one_that_falls_silent_and_what_it_said_is_counted(learner, make_scope, provider, workers, end):
    make_scope(base_filepath=CHAT)
    provider.reply(["A leaf ", "is green ", "because"], delay=60)
    person = Person(learner)
    person.start("Why?")
    eventually(lambda: provider.requests)
    eventually(lambda: AIWorkflowRun.objects.get().outcome == "running")
    end(person)
    eventually(lambda: not workers, SOON)
    provider.go_on()
    eventually(lambda: provider.disconnects == 1)
    row = AIWorkflowRun.objects.get()
    assert (row.outcome, row.is_estimated, row.prompt_tokens > 0, row.completion_tokens > 0) == (
        "cancelled", True, True, True
    )  # fmt: skip


def test_one_that_is_to_be_asked_again_is_not(learner, make_scope, provider, workers, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 3
    make_scope(base_filepath=CHAT)
    provider.always(Fail(429, headers={"Retry-After": "60"}))
    person = Person(learner)
    person.start("Why?")
    eventually(lambda: provider.requests)
    person.do("cancel_run")
    eventually(lambda: not workers, SOON)
    row = AIWorkflowRun.objects.get()
    assert (row.outcome, row.prompt_tokens) == ("cancelled", 0)
    assert len(provider.requests) == 1


def test_nor_one_that_stands_in(learner, make_scope, silent, workers, settings):
    entry = settings.AI_EXTENSIONS["default"]
    settings.AI_EXTENSIONS = {"default": {**entry, "FALLBACKS": ["second"]}, "second": {**entry}}
    make_scope(base_filepath=CHAT)
    person = Person(learner)
    person.start("Why?")
    eventually(lambda: silent.open == 1)
    person.do("cancel_run")
    eventually(lambda: not workers and not silent.open, SOON)
    assert silent.asked == 1


def test_nor_a_tool(learner, make_scope, provider, workers, monkeypatch):
    is_called, is_over = threading.Event(), threading.Event()
    monkeypatch.setattr(registry, "_tools", dict(registry._tools))

    @llm_tool(timeout=60)
    def ponder() -> str:
        """Ponder."""
        is_called.set()
        is_over.wait(60)
        return "Nothing."

    make_scope(base_filepath=CHAT, patch={"processor_config": {"LLMProcessor": {"enabled_tools": ["ponder"]}}})
    provider.then(CallTools(ToolCall("ponder")))
    person = Person(learner)
    person.start("Why?")
    eventually(is_called.is_set)
    person.do("cancel_run")
    eventually(lambda: not workers, SOON)
    is_over.set()
    assert len(provider.requests) == 1
    assert AIWorkflowRun.objects.get().outcome == "cancelled"


def test_a_number_of_runs_in_a_loop(learner, author, make_scope, silent, workers, settings):
    settings.AI_EXTENSIONS_ASYNC_RUNS_PER_PERSON = 3
    make_scope(base_filepath=FLASHCARDS)
    person, most, statuses = Person(learner), 0, []
    for end in list(ENDED_BY.values()) * 10:
        asked = silent.asked
        response = person.ask("run_async", TWO)
        statuses.append(response.status_code)
        if response.status_code == 200:
            eventually(lambda before=asked: silent.asked > before)
        else:
            assert error_of(response) == (429, "quota_exceeded")
        most = max(most, len(workers))
        end(person)
    assert most == 3
    assert {200, 429} == set(statuses)
    assert Person(author).ask("run_async", TWO).status_code == 200
    AIWorkflowSession.objects.all().delete()
    eventually(lambda: not workers, SOON)
    assert person.ask("run_async", TWO).status_code == 200
    person.do("cancel_run")


@pytest.mark.parametrize("end", ENDED_BY.values(), ids=ENDED_BY)
def test_a_worker_that_has_not_heard_counts(learner, make_scope, provider, workers, settings, end):
    settings.AI_EXTENSIONS_ASYNC_LEASE = 400
    settings.AI_EXTENSIONS_ASYNC_RUNS_PER_PERSON = 1
    make_scope(base_filepath=FLASHCARDS)
    provider.hang(60)
    person = Person(learner)
    person.start(TWO)
    assert person.ask("run_async", TWO).status_code == 200  # the same again: it goes on
    eventually(lambda: provider.requests)
    end(person)
    assert error_of(person.ask("run_async", TWO)) == (429, "quota_exceeded")
    provider.go_on()
    eventually(lambda: not workers, SOON)
    assert person.ask("run_async", TWO).status_code == 200


def test_a_worker_that_died_does_not(learner, make_scope, provider, settings, monkeypatch):
    settings.AI_EXTENSIONS_ASYNC_LEASE = 1
    settings.AI_EXTENSIONS_ASYNC_RUNS_PER_PERSON = 1
    monkeypatch.setattr(background.run_workflow, "apply_async", lambda *_args, **_options: None)
    make_scope(base_filepath=FLASHCARDS)
    person = Person(learner)
    assert Lease.claim(person.start(TWO)) is not None  # and then it is killed
    person.do("clear_session")
    assert person.ask("run_async", TWO).status_code == 429
    eventually(lambda: person.ask("run_async", TWO).status_code == 200, SOON)
    assert AIWorkflowAsyncRun.objects.count() == 1
