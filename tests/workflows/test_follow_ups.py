"""Questions that the model suggests at the end of an answer: data beside the text, never a part of it."""

import json

import pytest

from tests.workflows.conversations.conftest import Chat, api

__all__ = ["api"]  # a fixture
ANSWER = "Leaves are green.\n\n- As **light** shows."
ASKED = ["Why green?", "What do they eat?"]
SAID = f"{ANSWER}\n\n【?】 {ASKED[0]}\n- 【？】 {ASKED[1]}\n"


@pytest.fixture
def tutor(learner, make_scope, provider):
    make_scope(base_filepath="base/chat.json5", slug="chat")
    return Chat(learner)


def text_and_questions(events):
    text = "".join(data["text"] for name, data in events if name == "delta")
    return text, [data["questions"] for name, data in events if name == "follow_ups"]


def test_they_come_beside_the_answer(api, tutor, provider):
    provider.reply(list(SAID))  # each character in a chunk of its own
    assert text_and_questions(tutor.events("Leaves?")) == (ANSWER, [ASKED])
    assert tutor.stream("Leaves, please?") == ANSWER
    answer = tutor.say("And leaves?").json()
    assert (answer["response"], answer["follow_ups"]) == (ANSWER, ASKED)
    messages = json.loads(tutor.answer())["messages"]
    assert [(m["content"], m["follow_ups"]) for m in messages if m["role"] == "assistant"] == [(ANSWER, ASKED)] * 3
    assert "【?】" in json.dumps(provider.requests[0], ensure_ascii=False)


def test_wherever_a_stream_is_split(tutor, provider):
    for at in range(1, len(SAID)):
        provider.reply([SAID[:at], SAID[at:]])
        assert text_and_questions(tutor.events(f"Leaves {at}?")) == (ANSWER, [ASKED]), at


@pytest.mark.parametrize(
    ("said", "text", "questions"),
    [
        ("Green.\n【?】 A?\n【?】 B?\n【?】 C?\n【?】 D?", "Green.", [["A?", "B?", "C?"]]),
        ("Green.\n【?】 **Why** 【12345】?\n【?】\n【?】 " + "x" * 201, "Green.", [["Why?"]]),
        ("Green.\n【?】 A?\nThat is all.", "Green.\nThat is all.", [["A?"]]),
        ("Green 【?】 or not?", "Green 【?】 or not?", []),
        ("Green.\n\n【注意】 Not red.\n\n【", "Green.\n\n【注意】 Not red.\n\n【", []),
        ("1. Green.\n2. Red.\n\n* ", "1. Green.\n2. Red.\n\n* ", []),
    ],
    ids=["more than three", "marks, nothing, too long", "text after them", "in a line", "other brackets", "lists"],
)
def test_what_is_one_and_what_is_not(tutor, provider, said, text, questions):
    provider.reply(list(said))
    assert text_and_questions(tutor.events("Leaves?")) == (text, questions)


def test_without_the_option_none_is_asked_for(learner, make_scope, provider):
    off = {"processor_config": {"LLMProcessor": {"follow_ups": False, "citations": False}}}
    make_scope(base_filepath="base/chat.json5", slug="chat", patch=off)
    provider.reply(SAID)
    assert Chat(learner).answer("Leaves?") == SAID
    assert "【?】" not in provider.requests[-1]["messages"][0]["content"]
