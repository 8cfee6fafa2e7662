"""Steps of openedx-filters: other plugins change or stop a request, or an answer."""

from __future__ import annotations

import json

import pytest

from openedx_ai_extensions.filters import AIAnswerGiven, AIRunRequested
from openedx_ai_extensions.models import AIWorkflowSession
from tests.api.conftest import error_of, text_of
from tests.conftest import COURSE_ID, SECRET, UNIT_ID, from_learner
from tests.fakes.steps import CallTools, Say, ToolCall
from tests.moderation import steps
from tests.moderation.conftest import BAD, JSON, SSE, the_run
from tests.workflows.conversations.conftest import CHAT, Chat
from tests.workflows.flashcards.conftest import FLASHCARDS, cards

WORDS = f"Call me at {steps.NUMBER}."
HIDDEN = "Call me at [number]."


@pytest.fixture
def chat(learner, provider, make_scope) -> Chat:
    make_scope(base_filepath=CHAT, slug="chat")
    return Chat(learner)


def test_a_step_is_told_who_where_and_what(as_learner, learner, make_scope, provider, pipeline):
    make_scope()
    steps.Remember.seen.clear()
    pipeline(AIRunRequested, steps.Remember)
    pipeline(AIAnswerGiven, steps.Remember)
    provider.reply("Because.")
    as_learner.run("Why?", headers=JSON)
    before, after = steps.Remember.seen
    assert before["text"] == "Why?"
    assert after["answer"] == "Because."
    about = {name: value for name, value in before["run"].items() if name != "run_id"}
    assert about == {"user_id": learner.pk, "course_id": COURSE_ID, "location_id": UNIT_ID, "profile": "summary",
                     "action": "run"}  # fmt: skip
    assert before["run"] == after["run"]
    assert before["run"]["run_id"] == the_run().run_id


def test_a_changed_request_goes_to_the_model_and_the_learners_words_stay_theirs(chat, provider, pipeline):
    pipeline(AIRunRequested, steps.HideNumber)
    provider.then(Say("I cannot."), Say("You said so."))
    chat.answer(WORDS)
    assert provider.requests[0]["messages"][-1] == from_learner(HIDDEN)
    assert chat.shown()[0] == ("user", WORDS)
    chat.answer("What did I say?")
    assert from_learner(HIDDEN) in provider.requests[1]["messages"]
    assert steps.NUMBER not in json.dumps(provider.requests)


def test_what_a_plugin_takes_out_reaches_no_moderator(as_learner, make_scope, provider, endpoint, pipeline):
    make_scope()
    pipeline(AIRunRequested, steps.HideNumber)
    as_learner.run(WORDS, headers=JSON)
    assert endpoint.seen[0] == HIDDEN


def test_a_request_is_stopped(as_learner, make_scope, provider, pipeline):
    make_scope()
    pipeline(AIRunRequested, steps.Prevent)
    response = as_learner.run("Why?")
    assert error_of(response) == (403, "permission_denied")
    error = response.json()["error"]
    assert (error["message"], error["reason"]) == (steps.MESSAGE, "filter")
    assert not provider.requests
    run = the_run()
    assert (run.outcome, run.refused_by) == ("refused", f"filter/{AIRunRequested.filter_type}")


def test_a_button_without_words_is_stopped_too(as_learner, make_scope, provider, pipeline):
    make_scope(base_filepath=FLASHCARDS, slug="flashcards")
    pipeline(AIRunRequested, steps.Prevent)
    assert error_of(as_learner.run({})) == (403, "permission_denied")
    assert not provider.requests


@pytest.mark.parametrize("headers", [{}, SSE, JSON], ids=["streamed", "as events", "whole"])
def test_a_changed_answer_is_what_is_shown_and_stored(chat, provider, pipeline, headers):
    pipeline(AIAnswerGiven, steps.Shout)
    provider.then(CallTools(ToolCall("get_context"), text="One moment."), Say(["Be", "cause", "."]))
    response = chat.say("Why?", headers=headers)
    body = text_of(response) if response.streaming else response.content.decode()
    assert "BECAUSE." in body
    assert "ecause" not in body
    assert chat.shown() == [("user", "Why?"), ("assistant", "ONE MOMENT.\n\nBECAUSE.")]
    chat.answer("And?")
    sent = [message.get("content") for message in provider.requests[-1]["messages"] if message["role"] == "assistant"]
    assert [text for text in sent if text] == ["ONE MOMENT.\n\nBECAUSE."]


def test_a_changed_answer_is_not_what_the_provider_remembers(learner, provider, make_scope, settings, pipeline):
    settings.AI_EXTENSIONS = {
        "default": {
            "MODEL": "openai/gpt-fake",
            "API_KEY": SECRET,
            "API_BASE": provider.base_url,
            "CAPABILITIES": {"keeps_threads": True},
        }
    }
    make_scope(base_filepath=CHAT, slug="chat")
    chat = Chat(learner)
    pipeline(AIAnswerGiven, steps.Shout)
    provider.reply("Because.")
    chat.answer("Why?")
    chat.answer("And?")
    assert "previous_response_id" not in provider.requests[-1]
    assert "BECAUSE." in json.dumps(provider.requests[-1]["input"])


def test_an_answer_is_stopped(chat, provider, pipeline):
    pipeline(AIAnswerGiven, steps.PreventAnswer)
    provider.reply("A secret.")
    response = chat.say("Why?", headers={})
    assert error_of(response) == (403, "permission_denied")
    assert "secret" not in json.dumps(AIWorkflowSession.objects.get().get_local_thread())
    run = the_run()
    assert (run.outcome, run.refused_by) == ("refused", f"filter/{AIAnswerGiven.filter_type}")
    assert run.tokens == 16


def test_moderators_stand_next_to_the_model(as_learner, make_scope, provider, listed, pipeline):
    make_scope()
    steps.Remember.seen.clear()
    pipeline(AIAnswerGiven, steps.Remember)
    provider.reply(f"So {BAD}.")
    assert error_of(as_learner.run("Why?")) == (403, "permission_denied")
    assert not steps.Remember.seen


def test_cards_are_changed_and_must_stay_cards(as_learner, make_scope, provider, pipeline):
    make_scope(base_filepath=FLASHCARDS, slug="flashcards")
    pipeline(AIAnswerGiven, steps.Shout)
    provider.always(Say(cards("What is light?")))
    assert as_learner.run({}).json()["response"][0]["question"] == "WHAT IS LIGHT?"
    pipeline(AIAnswerGiven, steps.Spoil)
    assert error_of(as_learner.run({})) == (500, "processor_error")


def test_a_stream_is_held_only_where_steps_are_configured(as_learner, make_scope, provider, pipeline):
    make_scope()
    provider.reply(["One. ", "Two. ", "Three."], delay=60)
    chunks = (chunk for chunk in as_learner.run("Why?").streaming_content if chunk)
    assert next(chunks) == b"One. "
    provider.go_on()
    assert b"".join(chunks) == b"Two. Three."
    pipeline(AIAnswerGiven, steps.Shout)
    assert [chunk for chunk in as_learner.run("Why?").streaming_content if chunk] == [b"ONE. TWO. THREE."]
