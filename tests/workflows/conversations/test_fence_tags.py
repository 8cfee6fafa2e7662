"""Tags of the fences in requests, which some models repeat: people never see them."""

from __future__ import annotations

import json

import pytest
from submissions.models import Submission

from openedx_ai_extensions.tasks import run_workflow
from tests.workflows.async_runs.conftest import Person, use_broker
from tests.workflows.conversations.conftest import Chat
from tests.workflows.flashcards.conftest import FLASHCARDS, cards

__all__ = ["use_broker"]

SAID = (
    "<course_content>\nLeaves.\n</course_content>\n<b> <learner> 1 <2 </learner_message>Green.<TOOL_RESULT>"
    "\n```\n</tool_result>\n```\n<think>Hm.</learner_message></think>Really.\n</learner_message>"
)
SHOWN = "Leaves.\n\n<b> <learner> 1 <2 Green.\n```\n\n```\nReally."
TAG = "</learner_message>"


@pytest.fixture
def any_chat(api, learner, make_scope) -> Chat:
    make_scope(base_filepath="base/chat.json5", slug="chat")
    return Chat(learner)


def test_they_are_not_shown_in_any_form_of_answer(any_chat, provider):
    provider.reply(list(SAID))  # each character in a chunk of its own
    assert any_chat.answer("Why?").strip() == SHOWN
    assert any_chat.stream("Why green?").strip() == SHOWN
    events = any_chat.events("Why are they green?")
    assert "".join(data["text"] for name, data in events if name == "delta").strip() == SHOWN
    assert [content.strip() for role, content in any_chat.shown() if role == "assistant"] == [SHOWN] * 3
    older = any_chat.do("lazy_load_chat_history", {"current_messages": 0})["response"]
    assert TAG not in older
    any_chat.answer("And now?")
    assert TAG not in str(
        [message for message in provider.requests[-1].get("messages", ()) if message["role"] == "assistant"]
    )


def test_wherever_a_stream_is_split(chat, provider):
    for at in range(1, len(TAG)):
        provider.reply([f"Green{TAG[:at]}", f"{TAG[at:]} leaves."])
        assert chat.stream(f"Why {at}?") == "Green leaves."


@pytest.mark.parametrize("end", ["<learner_", "</learner_message", "<tool_resul"])
def test_a_tag_that_is_cut_off(chat, provider, end):
    provider.reply(["Green.", end])
    assert chat.stream("Why?") == "Green."


@pytest.mark.parametrize("end", ["<", "</", "<l", "1 <t", "<course", "[/", "<learner-"])
def test_what_only_begins_like_a_tag_is_shown_at_the_end(chat, provider, end):
    provider.reply(["Green ", end])
    assert chat.stream("Why?") == f"Green {end}"


@pytest.mark.parametrize("text", ["1 < 2", "a <learner", "<learner>", "if (x<y", "</learner_massage", "<courses"])
def test_other_text_is_not_held_back(chat, provider, text):
    provider.reply([f"{text} ", "and more"], delay=60)
    chunks = iter(chat.say("Why?", headers={}).streaming_content)
    # A space may stand before the label of a citation, which is removed with it.
    assert next(filter(None, chunks)).decode() == text
    provider.go_on()
    assert b"".join(chunks) == b" and more"


def test_answers_that_were_stored_with_them(chat, provider):
    chat.answer("Why?")
    row = Submission.objects.get(answer__icontains="Hello from the model.")
    stored = json.dumps(row.answer).replace("Hello from the model.", f"Green.{TAG}")
    Submission.objects.filter(pk=row.pk).update(answer=json.loads(stored))
    assert chat.shown() == [("user", "Why?"), ("assistant", "Green.")]


def test_what_the_provider_stores_is_the_same_answer(responses, chat):
    responses.reply(f"Green.{TAG}")
    chat.answer("Why?")
    (answer,) = [message for message in chat.session.get_combined_thread() if message["role"] == "assistant"]
    assert (answer["content"], answer["source"]) == ("Green.", "both")


def test_what_runs_in_the_background(learner, provider, make_scope, use_broker):
    use_broker("memory://")
    make_scope(base_filepath=FLASHCARDS, slug="flashcards")
    person = Person(learner)
    provider.reply(cards("Why?").replace("Why", r"\u003clearner_message\u003eWhy<\/learner_message>"))
    run_workflow(person.start({"num_cards": 1}))
    assert [card["question"] for card in person.state["response"]] == ["Why?"]
    assert "learner_message" not in json.dumps(person.row.answer)
