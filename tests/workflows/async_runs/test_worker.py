"""With a real worker, a real broker and processes that are killed: a truthful state, and nothing done twice."""

from __future__ import annotations

import shutil

import pytest

from openedx_ai_extensions.models import AIWorkflowRun, AIWorkflowSession
from openedx_ai_extensions.tasks import run_workflow
from tests.conftest import SECRET
from tests.fakes.provider import FakeProvider
from tests.fakes.steps import Fail
from tests.waiting import eventually
from tests.workflows.async_runs.conftest import Person
from tests.workflows.async_runs.workers import Broker, Worker
from tests.workflows.flashcards.conftest import FLASHCARDS, cards

QUEUE = "tests"
LEASE = 4  # seconds
IMPATIENT = {"AI_EXTENSIONS_ASYNC_SOFT_TIME_LIMIT": 4, "AI_EXTENSIONS_ASYNC_TIME_LIMIT": 8}
CHAT = "base/chat.json5"
TWO = {"num_cards": 2}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]


needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


@pytest.fixture(scope="module")
def model():
    """A provider that outlives one test, as the worker does."""
    with FakeProvider() as fake:
        yield fake


@pytest.fixture(scope="module")
def site_settings(model):
    return {
        "AI_EXTENSIONS": {"default": {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": model.base_url}},
        "AI_EXTENSIONS_ASYNC_LEASE": LEASE,
    }


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """A Redis of this module's own: another test that clears its cache in a shared one could clear the queue."""
    own = Broker(tmp_path_factory.mktemp("broker"))
    own.start()
    yield own
    own.stop()


@pytest.fixture(scope="module")
def workers(broker):
    """The workers of this module; the last one serves the next test too, if it is alive."""
    started: list[Worker] = []
    yield started
    for worker in started:
        worker.stop()


@pytest.fixture
def start_worker(workers, site_settings, broker, tmp_path_factory):
    def start() -> Worker:
        if not (workers and workers[-1].is_alive):
            log = tmp_path_factory.mktemp("worker") / "log"
            workers.append(Worker(site_settings, broker, QUEUE, log))
            workers[-1].wait_until_ready()
        workers[-1].go_on()
        return workers[-1]

    return start


@pytest.fixture
def without_worker(workers):
    """Until one is started, the tasks of this test wait."""
    if workers and workers[-1].is_alive:
        workers[-1].pause()


def ignored(worker, task_id):
    """How often a worker was given a task that was begun before: by its id, as others may come to it late."""
    return worker.log.read_text().count(f"workflow.async.ignored task_id={task_id}")


@pytest.fixture
def serve(request, settings, site_settings, make_scope, learner, use_broker, model):
    """A learner at a place with this template, whose tasks go to the worker's queue."""
    model.reset()
    for name, value in site_settings.items():
        setattr(settings, name, value)

    def at(template: str = FLASHCARDS, broker: str = "", **scope) -> Person:
        use_broker(broker or request.getfixturevalue("broker").url, QUEUE)
        make_scope(base_filepath=template, slug="background", **scope)
        return Person(learner)

    return at


@pytest.fixture(scope="class")
def impatient(site_settings, tmp_path_factory):
    """A worker whose runs have seconds, with a broker of its own."""
    folder = tmp_path_factory.mktemp("impatient")
    broker = Broker(folder)
    broker.start()
    worker = Worker({**site_settings, **IMPATIENT}, broker, QUEUE, folder / "log").wait_until_ready()
    yield worker
    worker.kill()
    broker.stop()


@pytest.fixture
def serve_briefly(serve, impatient, settings):
    """A learner whose tasks go there."""
    for name, value in IMPATIENT.items():
        setattr(settings, name, value)
    return lambda **scope: serve(broker=impatient.broker.url, **scope)


def status_is(person, *wanted):
    return lambda: person.state["status"] in wanted


def asked(model, number=1):
    return lambda: len(model.requests) >= number


def stored(person):
    return len(person.do("get_current_session_response")["cards"] or ())


@needs_redis
class TestARun:
    def test_comes_to_its_end(self, serve, start_worker, model):
        start_worker()
        person = serve()
        assert person.state == {"status": "idle"}
        model.reply(cards("One?", "Two?"))
        model.hang(60)
        person.start(TWO)
        eventually(lambda: person.state.get("progress") == 0.3)
        assert person.state["status"] == "processing"
        model.go_on()
        eventually(status_is(person, "completed"))
        state = person.state
        assert [card["question"] for card in state["response"]] == ["One?", "Two?"]
        assert person.do("get_current_session_response")["cards"] == state["response"]
        assert (len(model.requests), person.state) == (1, state)

    def test_of_a_chat_is_a_turn_of_it(self, serve, start_worker, model):
        start_worker()
        person = serve(CHAT)
        model.reply(["A leaf ", "is green."])
        person.start("Why?")
        eventually(status_is(person, "completed"))
        assert person.state == {"status": "completed", "response": "A leaf is green."}
        messages = AIWorkflowSession.objects.get().get_local_thread()
        assert [message["content"] for message in messages] == ["Why?", "A leaf is green."]

    def test_that_fails_says_so(self, serve, start_worker, model):
        start_worker()
        person = serve()
        model.always(Fail(401))
        person.start(TWO)
        eventually(status_is(person, "failed"))
        assert person.state == {
            "status": "failed", "code": "invalid_api_key", "error": "The AI service is currently unavailable."
        }  # fmt: skip

    def test_with_a_fault_of_ours_tells_a_reference_and_logs_no_words(self, serve, start_worker):
        worker = start_worker()
        person = serve(patch={"orchestrator_class": "tests.workflows.async_runs.samples.Faulty"})
        person.start("my own words")
        eventually(status_is(person, "failed"))
        assert person.state["code"] == "internal_error"
        reference = person.state["error"].rpartition(" ")[2]
        log = worker.log.read_text()
        assert f"workflow.async.failed ref={reference} type=KeyError" in log
        assert "my own words" not in log

    def test_speaks_the_persons_language(self, serve, start_worker, learner):
        start_worker()
        serve(patch={"orchestrator_class": "tests.workflows.async_runs.samples.Faulty"})
        person = Person(learner, headers={"Accept-Language": "es"})
        person.start("x")
        eventually(status_is(person, "failed"))
        assert person.row.language == "es"

    def test_is_not_for_those_who_lost_their_rights(self, serve, without_worker, start_worker, learner, model):
        person = serve()
        person.start(TWO)
        learner.is_active = False
        learner.save()
        start_worker()
        eventually(lambda: person.row.status == "failed")
        assert (person.row.code, model.requests) == ("permission_denied", [])


@needs_redis
class TestKilling:
    def test_the_worker_mid_run(self, serve, start_worker, model):
        worker = start_worker()
        person = serve()
        model.reply(cards("One?", "Two?"))
        model.hang(60)
        task_id = person.start(TWO)
        eventually(asked(model))
        worker.kill()
        eventually(status_is(person, "failed"))
        assert person.state["code"] == "internal_error"
        # The broker gives it to another worker, again and again.
        model.hang(0)
        start_worker()
        for _number in range(3):
            run_workflow.apply_async((task_id,), task_id=task_id)
        eventually(lambda: ignored(start_worker(), task_id) == 3)
        assert (person.state["status"], len(model.requests), stored(person)) == ("failed", 1, 0)
        person.start(TWO)
        eventually(status_is(person, "completed"))
        assert (len(model.requests), stored(person)) == (2, 2)

    def test_the_child_mid_run(self, serve, start_worker, model):
        worker = start_worker()
        person = serve()
        model.reply(cards("One?", "Two?"))
        model.hang(60)
        task_id = person.start(TWO)
        eventually(asked(model))
        worker.kill_child()
        eventually(status_is(person, "failed"))
        eventually(lambda: ignored(worker, task_id) == 1)
        assert (len(model.requests), stored(person)) == (1, 0)

    def test_the_task_is_delivered_three_times(self, serve, without_worker, start_worker, model):
        person = serve()
        model.reply(cards("One?", "Two?"))
        task_id = person.start(TWO)
        for _number in range(2):
            run_workflow.apply_async((task_id,), task_id=task_id)
        worker = start_worker()
        eventually(lambda: ignored(worker, task_id) == 2)
        assert (person.state["status"], len(model.requests), stored(person)) == ("completed", 1, 2)


@needs_redis
class TestTimeLimits:
    def test_a_provider_that_says_nothing(self, serve_briefly, model):
        person = serve_briefly()
        model.hang(60)
        person.start(TWO)
        eventually(status_is(person, "timeout", "failed"))
        assert person.state["status"] == "timeout"
        assert person.state["error"]
        assert stored(person) == 0

    def test_an_orchestrator_that_does_not_listen(self, serve_briefly, impatient):
        worker = impatient
        person = serve_briefly(patch={"orchestrator_class": "tests.workflows.async_runs.samples.Stubborn"})
        person.start("x")
        eventually(status_is(person, "timeout", "failed"))
        assert person.state["status"] == "timeout"
        eventually(lambda: "Hard time limit" in worker.log.read_text())


@needs_redis
class TestCancelling:
    def test_while_it_waits(self, serve, without_worker, start_worker, model):
        person = serve()
        task_id = person.start(TWO)
        assert person.do("cancel_run") == {"status": "cancelled"}
        worker = start_worker()
        eventually(lambda: ignored(worker, task_id) == 1)
        assert (person.state, model.requests) == ({"status": "cancelled"}, [])

    def test_while_the_model_speaks(self, serve, start_worker, model):
        start_worker()
        person = serve(CHAT)
        model.reply(["word "] * 1200, delay=0.1)
        person.start("Talk.")
        eventually(asked(model))
        assert person.do("cancel_run") == {"status": "cancelled"}
        eventually(lambda: model.disconnects)
        assert person.state == {"status": "cancelled"}

    def test_while_cards_are_written_stores_none(self, serve, start_worker, model):
        worker = start_worker()
        person = serve()
        model.reply(cards("One?", "Two?"))
        model.hang(60)
        task_id = person.start(TWO)
        eventually(asked(model))
        person.do("cancel_run")
        model.go_on()
        eventually(lambda: f"ended task_id={task_id}" in worker.log.read_text())
        assert (person.state, stored(person)) == ({"status": "cancelled"}, 0)

    def test_by_clearing_the_session(self, serve, start_worker, model):
        worker = start_worker()
        person = serve()
        model.reply(cards("One?", "Two?"))
        model.hang(60)
        task_id = person.start(TWO)
        eventually(asked(model))
        person.do("clear_session")
        model.go_on()
        eventually(lambda: f"ended task_id={task_id}" in worker.log.read_text())
        assert (person.state, stored(person)) == ({"status": "idle"}, 0)


class TestTheBroker:
    def test_is_not_there(self, serve, model):
        person = serve(broker="redis://127.0.0.1:1/0")
        response = person.ask("run_async", TWO)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "service_unavailable")
        assert person.state == {"status": "idle"}
        assert model.requests == []

    @needs_redis
    def test_forgets_what_waits(self, serve, settings, model, tmp_path):
        broker = Broker(tmp_path)
        broker.start()
        person = serve(broker=broker.url)
        person.start(TWO)
        broker.stop(keeps=False)
        assert person.state["status"] == "processing"
        settings.AI_EXTENSIONS_ASYNC_QUEUE_TIME_LIMIT = 0.1
        eventually(status_is(person, "timeout"))
        assert (model.requests, stored(person)) == ([], 0)

    @needs_redis
    def test_goes_away_while_a_worker_is_at_work_and_while_a_run_waits(self, serve, site_settings, model, tmp_path):
        broker = Broker(tmp_path)
        broker.start()
        worker = Worker(site_settings, broker, QUEUE, tmp_path / "log")
        try:
            worker.wait_until_ready()
            person = serve(broker=broker.url)
            model.reply(cards("One?", "Two?"))
            model.hang(60)
            person.start(TWO)
            eventually(asked(model))
            broker.stop()
            model.go_on()
            eventually(status_is(person, "completed", "failed", "timeout"))
            assert person.state["status"] == "completed"
            assert (len(model.requests), stored(person)) == (1, 2)
            broker.start()
            # Celery's main process may not survive it; a site's supervisor starts it again.
            worker.kill()

            model.reply(cards("Three?"))
            person.start(TWO)
            broker.stop()
            assert person.state["status"] == "processing"
            broker.start()
            worker = Worker(site_settings, broker, QUEUE, tmp_path / "second-log").wait_until_ready()
            eventually(status_is(person, "completed"))
            assert (len(model.requests), stored(person)) == (2, 3)
        finally:
            worker.kill()
            broker.stop()


COACH = {
    "orchestrator_class": "tests.public_extension.orchestrators.Coach",
    "processor_config": {"CoachProcessor": {"function": "coach", "audience": "gardeners"}},
}


@needs_redis
class TestAnExtensionInThePublicShape:
    def test_comes_to_its_end(self, serve, start_worker, model):
        start_worker()
        model.reply("Water them.")
        person = serve("base/summary.json5", patch=COACH)
        person.start("What now?")
        eventually(status_is(person, "completed"))
        assert person.state == {"response": "Water them.", "status": "completed"}
        assert AIWorkflowSession.objects.get().metadata == {"asked": 1, "title": "Sunlight, water and air"}
        row = AIWorkflowRun.objects.get()
        assert (row.action, row.outcome, row.calls, row.prompt_tokens) == ("run", "completed", 1, 12)

    @pytest.mark.parametrize(
        ("orchestrator", "code", "error"),
        [("Failing", "processor_error", "no such plant"), ("Odd", "internal_error", "Something went wrong")],
    )
    def test_tells_of_an_error(self, serve, start_worker, orchestrator, code, error):
        start_worker()
        patch = {"orchestrator_class": f"tests.public_extension.orchestrators.{orchestrator}InBackground"}
        person = serve("base/summary.json5", patch=patch)
        person.start("no such plant")
        eventually(status_is(person, "failed"))
        assert person.state["code"] == code
        assert error in person.state["error"]

    @pytest.mark.parametrize(
        ("orchestrator", "response"),
        [("Lazy", "Well: Hello from the model.🌱"), ("Dated", {"at": "2026-11-30T00:00:00Z"})],
    )
    def test_gives_what_run_would_give(self, serve, start_worker, model, orchestrator, response):
        start_worker()
        patch = {"orchestrator_class": f"tests.public_extension.orchestrators.{orchestrator}InBackground"}
        person = serve("base/summary.json5", patch=patch)
        person.start("What?")
        eventually(status_is(person, "completed"))
        assert person.state["response"] == response
