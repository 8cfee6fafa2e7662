"""While an answer arrives its person may be retired, its database may hang up, and its process may die."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.dispatch import Signal
from django.utils import timezone

from openedx_ai_extensions.events.receivers import retire
from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.models import AIWorkflowRun
from tests.api.conftest import Api, error_of, text_of
from tests.fakes.provider import Break, CallTools, Say, ToolCall
from tests.retirement.conftest import chats, kept
from tests.waiting import eventually
from tests.workflows.conversations.conftest import CHAT, Chat, responses

__all__ = ["chats", "responses"]

pytestmark = pytest.mark.django_db(transaction=True)

WHOLE = {"processor_config": {"LLMProcessor": {"stream": False}}}
LONG = ["word "] * 20
ENDLESS = ["word "] * 3000  # so that the provider is not at its end when the client leaves, however slow the machine


@pytest.fixture
def retire_person():
    """Send the signal, as the platform does."""
    signal = Signal()
    signal.connect(retire)
    return lambda user: signal.send(sender=object, user=user)


def begun(chat: Chat):
    """An answer of which a first part has been read, and the iterator of the rest."""
    response = chat.say("Write!", headers={})
    rest = iter(response.streaming_content)
    next(rest)
    return response, rest


@pytest.mark.parametrize("ending", ["completed", "broken", "left"])
@pytest.mark.parametrize("how", ["retired", "deleted", "cleared"])
def test_nothing_is_stored_of_who_went_in_the_middle(
    chats, responses, learner, retire_person, tracked, settings, how, ending
):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    others = kept(chats[1].user)
    responses.reply(ENDLESS if ending == "left" else LONG, delay=0.01)
    if ending == "broken":
        responses.then(Break(after_chunks=15))
    response, rest = begun(chats[0])
    before = len(tracked)
    user_id = learner.pk
    if how == "cleared":
        chats[0].do("clear_session")
    elif how == "retired":
        retire_person(learner)
    else:
        retire_person(learner)  # the platform does so first
        learner.delete()
        learner.pk = user_id
    if ending == "left":
        response.close()
    else:
        text = b"".join(rest).decode()
        assert ("streaming_failed" in text) == (ending == "broken")
    sessions, submissions = kept(learner)
    assert sessions == 0
    if how != "cleared":  # whose texts are deleted at retirement only
        assert submissions == 0
        assert not AIWorkflowRun.objects.filter(user_id=user_id).exists()
    assert kept(chats[1].user) == others
    # Where an answer broke off, the provider may not know it, nor then what came before; clearing leaves that there.
    left = {2, 4} if how == "cleared" and ending != "completed" else {2}
    assert len(responses.memory.responses) in left
    assert len(tracked) == before


def test_nor_of_who_went_while_a_tool_was_called(make_scope, responses, learner, retire_person):
    make_scope(
        base_filepath=CHAT,
        slug="chat",
        patch={"processor_config": {"LLMProcessor": {"enabled_tools": ["roll_dice"]}}},
    )
    chat = Chat(learner)
    responses.then(CallTools(ToolCall("roll_dice", {}), text="I roll. "), Say(LONG))
    _response, rest = begun(chat)
    retire_person(learner)
    assert "word" in b"".join(rest).decode()
    assert kept(learner) == (0, 0)
    assert not responses.memory.responses


def connection_id() -> int:
    """Of this thread's connection to the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CONNECTION_ID()")
        (number,) = cursor.fetchone()
    return int(number)


def kill(number: int) -> None:
    """The database ends a connection, as after a long silence or a fail-over."""
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute(f"KILL {number}")
    other.close()


needs_server = pytest.mark.skipif("connection.vendor != 'mysql'", reason="a file does not hang up")


@needs_server
@pytest.mark.parametrize("template", [CHAT, "base/summary.json5"], ids=["chat", "one answer"])
@pytest.mark.parametrize("ending", ["completed", "broken", "left"])
def test_a_database_that_hangs_up_in_the_middle(make_scope, learner, provider, settings, tracked, template, ending):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    make_scope(base_filepath=template)
    provider.reply(LONG, delay=0.01, usage={"prompt_tokens": 50, "completion_tokens": 9950, "total_tokens": 10_000})
    if ending == "broken":
        provider.then(Break(after_chunks=15))
    chat = Chat(learner)
    response, rest = begun(chat)
    kill(connection_id())
    if ending == "left":
        response.close()
    else:
        text = b"".join(rest).decode()
        assert ("streaming_failed" in text) == (ending == "broken")
    run = AIWorkflowRun.objects.get()
    assert run.outcome == {"completed": "completed", "broken": "failed", "left": "cancelled"}[ending]
    assert run.tokens == 10_000 if ending == "completed" else run.tokens > 0
    assert len(tracked) == (ending == "completed")
    if template == CHAT:
        (question, answer) = chat.shown()
        assert question == ("user", "Write!")
        assert answer[1].startswith("word")


@needs_server
@pytest.mark.parametrize("template", [CHAT, "base/summary.json5"], ids=["chat", "one answer"])
def test_a_database_that_hangs_up_before_a_whole_answer(make_scope, learner, provider, template):
    make_scope(base_filepath=template, patch=WHOLE)
    number = connection_id()
    provider.hang(60)

    def hang_up_while_it_is_asked() -> None:
        eventually(lambda: provider.requests)
        kill(number)
        provider.go_on()

    meanwhile = threading.Thread(target=hang_up_while_it_is_asked)
    meanwhile.start()
    chat = Chat(learner)
    assert chat.answer("Write!") == "Hello from the model."
    meanwhile.join()
    assert AIWorkflowRun.objects.get().outcome == "completed"
    assert template != CHAT or chat.shown()[1] == ("assistant", "Hello from the model.")


def test_a_run_that_is_lost_counts_what_it_had_reserved(make_scope, learner, author, provider, settings):
    settings.AI_EXTENSIONS["default"]["PRICES"] = {"INPUT": 100, "OUTPUT": 100}
    settings.AI_EXTENSIONS_EXPECTED_ANSWER_TOKENS = 4000
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "month", "tokens": 9000}]
    make_scope()
    provider.reply(LONG, delay=0.01)
    response = Api(learner).run("Write!")
    rest = iter(response.streaming_content)
    next(rest)
    run = AIWorkflowRun.objects.get()
    held, cost = run.held_tokens, run.held_micros
    assert held > 4000
    # Its process died, and its time is over.
    AIWorkflowRun.objects.update(held_until=timezone.now() - timedelta(minutes=5))
    assert error_of(Api(learner).run("Again?")) == (429, "quota_exceeded")
    counters.count()
    run.refresh_from_db()
    assert (run.outcome, run.tokens, run.cost_micros, run.is_estimated) == ("lost", held, cost, True)
    assert (run.held_tokens, run.held_micros) == (0, 0)
    assert error_of(Api(learner).run("And now?")) == (429, "quota_exceeded")
    assert "word" in text_of(Api(author).run("Me too"))
    # It was alive after all: what it says itself takes the place of that.
    list(rest)
    run.refresh_from_db()
    assert (run.outcome, run.tokens, run.is_estimated) == ("completed", 16, False)
    assert Api(learner).run("At last?").status_code == 200
