"""A streamed answer: what may still turn out badly waits, the rest does not; and a refused turn leaves no trace."""

from __future__ import annotations

import json

import pytest

from openedx_ai_extensions.models import AIWorkflowRun, AIWorkflowSession
from tests.api.conftest import error_of, text_of
from tests.conftest import from_learner
from tests.fakes.provider import Break, CallTools, Say, ToolCall
from tests.moderation.conftest import BAD, SSE, the_run
from tests.waiting import eventually
from tests.workflows.conversations.conftest import CHAT, Chat

pytestmark = pytest.mark.usefixtures("listed")


@pytest.fixture
def chat(learner, provider, make_scope) -> Chat:
    make_scope(base_filepath=CHAT, slug="chat")
    return Chat(learner)


def test_a_harmless_answer_is_as_without(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["Über", "all pu", "rple", " eleg", "ance, kr", "äuter."])
    assert text_of(as_learner.run("Why?")) == "Überall purple elegance, kräuter."
    assert the_run().outcome == "completed"


def test_words_arrive_while_the_model_still_speaks(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["One. ", "Two. ", "kra", "mp. ", "Four."], delay=60)
    chunks = iter(as_learner.run("Why?").streaming_content)
    first = next(chunk for chunk in chunks if chunk)
    assert first.startswith(b"One.")
    provider.go_on()
    assert first + b"".join(chunks) == b"One. Two. kramp. Four."


def test_the_clean_beginning_is_shown_and_the_stream_ends_with_kind_words(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["Leaves are ", "green ", "and ", BAD[:4], BAD[4:], " they", " are."] + [" more"] * 400, delay=0.02)
    body = text_of(as_learner.run("Why?"))
    text, _, marker = body.partition("||")
    assert "Leaves are green and ".startswith(text)
    assert BAD[:3] not in body
    error = json.loads(marker.removesuffix("||"))
    assert list(error) == ["error_in_stream", "code", "message"]
    assert (error["error_in_stream"], error["code"]) == (True, "streaming_failed")
    assert "not shown" in error["message"]
    eventually(lambda: provider.disconnects == 1)
    run = the_run()
    assert (run.outcome, run.refused_by, run.error_code) == ("refused", "moderation/words/after", "permission_denied")
    assert run.completion_tokens > 0
    assert run.held_tokens == 0


def test_before_the_first_byte_it_is_an_ordinary_answer(as_learner, make_scope, provider):
    make_scope()
    provider.reply([BAD, " is what you are."])
    response = as_learner.run("Why?")
    assert error_of_extra(response) == (403, "permission_denied", "moderation")


def test_as_events_the_code_is_the_errors_own(as_learner, make_scope, provider):
    make_scope()
    provider.reply(["Green ", BAD, "."])
    body = text_of(as_learner.run("Why?", headers=SSE))
    assert BAD not in body
    assert body.count("event: error") == 1
    assert "event: done" not in body
    assert '"code": "permission_denied"' in body


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_refused_turn_is_not_shown_again_nor_sent_back(chat, provider, settings, api):
    if api == "responses":
        entry = {**settings.AI_EXTENSIONS["default"], "CAPABILITIES": {"keeps_threads": True}}
        settings.AI_EXTENSIONS = {"default": entry}
    provider.then(Say("Good."), Say(["Green and ", f"{BAD}!"]), Say("Fine."))
    chat.stream("One?")
    assert "not shown" in chat.stream("Two?")
    stored = AIWorkflowSession.objects.get().get_local_thread()
    assert BAD not in json.dumps(stored)
    assert [message.get("status") for message in stored][-1] == "refused"
    assert chat.shown() == [("user", "One?"), ("assistant", "Good."), ("user", "Two?")]
    chat.stream("Three?")
    assert BAD not in json.dumps(provider.requests)
    last = provider.requests[-1]
    said = last.get("messages") or last["input"]
    assert from_learner("Three?")["content"] in str(said[-1]["content"])
    assert "Two?" not in json.dumps(said)
    if api == "responses":
        assert last["previous_response_id"]  # the thread goes on from the last good turn


def test_a_refused_question_is_the_learners_own_to_see_and_goes_nowhere(chat, provider):
    response = chat.say(f"You {BAD}")
    assert error_of_extra(response) == (403, "permission_denied", "moderation")
    assert BAD not in response.content.decode()
    (message,) = json.loads(chat.answer())["messages"]
    assert (message["role"], message["content"], message["status"]) == ("user", f"You {BAD}", "refused")
    provider.reply("Hello.")
    chat.answer("Hello?")
    assert BAD not in json.dumps(provider.requests)


def test_saying_it_again_is_looked_at_again(chat, provider):
    provider.then(Say(f"{BAD}."), Say("Green."))
    assert chat.say("Why?").status_code == 403
    assert chat.answer("Why?") == "Green."
    assert chat.shown() == [("user", "Why?"), ("assistant", "Green.")]


def test_what_was_held_when_the_provider_broke_off_is_neither_shown_nor_stored(chat, provider):
    provider.reply(["Leaves and ", "purple ", "elephant"])
    provider.then(Break(after_chunks=2))
    body = chat.stream("Why?")
    assert body.startswith("Leaves and ||")
    assert "purple" not in body
    assert chat.shown() == [("user", "Why?"), ("assistant", "Leaves and ")]


def test_all_rounds_of_a_conversation_with_tools_are_one_text(chat, provider):
    provider.then(CallTools(ToolCall("get_context"), text="It is "), Say(f"well {BAD}."))
    events = chat.events("Why?")
    assert [name for name, _data in events if name != "delta"] == ["start", "tool", "tool", "error"]
    texts = [data["text"] for name, data in events if name == "delta"]
    assert "It is \n\nwell ".startswith("".join(texts))
    assert AIWorkflowRun.objects.get().calls == 2


def error_of_extra(response) -> tuple[int, str, str]:
    error = response.json()["error"]
    assert error["message"]
    assert error_of(response) == (response.status_code, error["code"])
    return response.status_code, error["code"], error["reason"]
