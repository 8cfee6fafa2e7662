"""A conversation as its learner has it: turns, memory, opening, scrolling back, clearing."""

import json
import re

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from submissions.models import Submission

from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.processors import SubmissionProcessor
from tests.fakes.steps import Break, CallTools, Fail, Say, ToolCall
from tests.workflows.conversations.conftest import Chat

pytestmark = pytest.mark.django_db


def sent(provider, number=-1):
    """The texts of a request's messages but the system's, unfenced."""
    messages = provider.requests[number]["messages"][1:]
    return [
        (m["role"], m["content"].replace("<learner_message>\n", "").replace("\n</learner_message>", ""))
        for m in messages
    ]


def test_a_fresh_chat_greets_once(chat, provider):
    provider.reply("Hello, this is about light.")
    assert chat.answer() == "Hello, this is about light."
    (only,) = provider.requests
    assert "A meal made of light" in only["messages"][0]["content"]
    assert chat.shown() == [("assistant", "Hello, this is about light.")]
    assert len(provider.requests) == 1


def test_each_turn_knows_the_ones_before(chat, provider):
    provider.reply("Chlorophyll.")
    assert chat.answer("Why green?") == "Chlorophyll."
    provider.reply("In leaves.")
    assert chat.stream({"text": "Where is it?"}) == "In leaves."
    provider.reply("Yes.")
    chat.answer("Sure?")
    assert sent(provider) == [
        ("user", "Why green?"), ("assistant", "Chlorophyll."), ("user", "Where is it?"), ("assistant", "In leaves."),
        ("user", "Sure?"),
    ]  # fmt: skip


def test_a_later_turn_takes_seven_queries_of_ours(chat, provider, transactional_db):
    for number in range(3):
        chat.answer(f"question {number}")
    with CaptureQueriesContext(connection) as captured:
        chat.answer("and?")
    ours = [query["sql"] for query in captured if not re.search("django_session|auth_user", query["sql"])]
    assert len(ours) == 7, ours


def test_what_a_widget_gets_when_it_opens(chat, provider):
    provider.reply("Chlorophyll.")
    chat.answer("Why green?")
    opened = json.loads(chat.answer())
    assert opened["metadata"] == {"has_more": False, "current_count": 2}
    question, answer = opened["messages"]
    assert (question["role"], question["content"]) == ("user", "Why green?")
    assert (answer["role"], answer["content"]) == ("assistant", "Chlorophyll.")
    assert question["timestamp"] <= answer["timestamp"]
    assert question["submission_id"] != answer["submission_id"]
    current = chat.do("get_current_session_response")
    assert (current["status"], json.loads(current["response"])) == ("completed", opened)


def test_nothing_to_show_before_the_first_turn(chat):
    assert chat.do("get_current_session_response")["response"] is None


@pytest.mark.parametrize(
    "form", [int, lambda n: {"current_messages": n}, lambda n: json.dumps({"current_messages": n})]
)
def test_scrolling_back(chat, provider, form):
    for number in range(8):
        provider.reply(f"answer {number}")
        chat.answer(f"question {number}")
    everything = [text for number in range(8) for text in (f"question {number}", f"answer {number}")]
    opened = json.loads(chat.answer())
    assert opened["metadata"] == {"has_more": True, "current_count": 10}
    have = [message["content"] for message in opened["messages"]]
    while True:
        page = json.loads(chat.do("lazy_load_chat_history", form(len(have)))["response"])
        assert page["metadata"]["new_count"] == len(page["messages"])
        have = [message["content"] for message in page["messages"]] + have
        if not page["metadata"]["has_more"]:
            break
    assert have == everything


@pytest.mark.parametrize("count", [None, "x", -1, True, {"current": 1}, "[]", 1.5])
def test_a_count_that_is_none(chat, count):
    response = chat.api.run(count, action="lazy_load_chat_history")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "validation_error")


def test_clearing_forgets(chat, provider):
    chat.answer("Why green?")
    assert chat.do("clear_session") == {"response": "", "status": "session_cleared"}
    assert chat.do("get_current_session_response")["response"] is None
    provider.reply("Welcome back.")
    assert chat.answer() == "Welcome back."
    assert len(provider.requests[-1]["messages"]) == 2
    assert AIWorkflowSession.objects.count() == 1


def test_only_the_last_messages_go_to_the_model(chat, provider, settings):
    for number in range(12):
        chat.answer(f"question {number}")
    texts = [text for _role, text in sent(provider)]
    assert texts[0] == "question 6"
    assert len(texts) == 11


def test_conversations_are_apart(chat, provider, author):
    provider.reply("For the learner.")
    chat.answer("Mine")
    other = Chat(author)
    provider.reply("For the author.")
    other.answer("Theirs")
    assert chat.shown() == [("user", "Mine"), ("assistant", "For the learner.")]
    assert other.shown() == [("user", "Theirs"), ("assistant", "For the author.")]


def test_long_turns_are_split_and_joined(chat, provider):
    answer = 'Léaf 🌱 \\"quoted\\" ' * 11_000
    provider.reply([answer[i : i + 4000] for i in range(0, len(answer), 4000)])
    question = "é" * 19_000
    assert chat.stream(question) == answer
    assert chat.shown() == [("user", question), ("assistant", answer)]
    assert Submission.objects.count() > 3
    provider.reply("ok")
    chat.answer("And?")
    assert sent(provider)[:2] == [("user", question), ("assistant", answer)]


@pytest.mark.parametrize("read", ["say", "stream"])
def test_what_happened_is_told_once(chat, provider, tracked, read):
    getattr(chat, read)("first")
    getattr(chat, read)("second")
    chat.answer()
    chat.do("get_current_session_response")
    assert [event["name"] for event in tracked] == ["openedx.ai.workflow.initialized", "openedx.ai.workflow.interacted"]
    assert all(event["data"]["usage"]["total_tokens"] == 16 for event in tracked)
    assert all(event["data"]["action"] == "run" for event in tracked)
    chat.do("clear_session")
    chat.answer("again")
    assert tracked[-1]["name"] == "openedx.ai.workflow.initialized"


def test_a_question_whose_process_died_is_marked_and_can_be_asked_again(chat, provider, settings):
    """What is left when a process is killed between the provider's last byte and the save."""
    chat.answer("Why green?")
    history = SubmissionProcessor(None, chat.session)
    history.add("a1", [{"role": "user", "content": "Where?"}])
    opened = json.loads(chat.answer())["messages"]
    assert [(m["content"], m.get("status")) for m in opened[2:]] == [("Where?", None)]
    settings.AI_EXTENSIONS_TOTAL_TIMEOUT = -60  # as if it had been asked long ago
    opened = json.loads(chat.answer())["messages"]
    assert [(m["content"], m.get("status")) for m in opened[2:]] == [("Where?", "failed")]
    settings.AI_EXTENSIONS_TOTAL_TIMEOUT = 60


def small_model(settings, provider, tokens):
    entry = {"MODEL": "openai/gpt-fake", "API_KEY": "k", "API_BASE": provider.base_url, "MAX_INPUT_TOKENS": tokens}
    settings.AI_EXTENSIONS = {"default": entry}


def test_the_oldest_turns_give_way_in_a_small_model(chat, provider, settings):
    small_model(settings, provider, 4_000)
    for number in range(4):
        provider.then(CallTools(ToolCall("get_location_link", {})), Say("word " * 600))
        chat.answer(f"question {number}")
    chat.answer("and?")
    messages = provider.requests[-1]["messages"]
    questions = [m["content"] for m in messages if m["role"] == "user"]
    assert "and?" in questions[-1]
    assert 1 < len(questions) < 5
    assert messages[1]["role"] == "user"
    calls = {call["id"] for m in messages for call in m.get("tool_calls") or ()}
    assert calls
    assert calls == {m["tool_call_id"] for m in messages if m["role"] == "tool"}


def test_a_model_too_small_for_the_question_alone(chat, provider, settings):
    small_model(settings, provider, 300)
    response = chat.say("word " * 1_000)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "context_window_exceeded")
    assert provider.requests == []


def test_a_site_that_allows_no_rounds_offers_no_tools(chat, provider, settings):
    settings.AI_EXTENSIONS_MAX_TOOL_ROUNDS = 0
    assert chat.answer("Why green?") == "Hello from the model."
    assert "tools" not in provider.requests[-1]


def test_a_database_that_fails_tells_nobody_what_was_said(chat, provider, caplog):
    def refuse(execute, sql, params, many, context):
        if "INSERT INTO" in sql and "submissions_submission" in sql:
            raise DatabaseError("disk full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        response = chat.say("my secret sorrow")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")
    assert "my secret sorrow" not in caplog.text
    assert "submissions.failed" in caplog.text
    assert provider.requests == [], "nothing is paid for what could not be kept"


def test_what_was_seen_stays_until_another_try_brings_more(chat, provider, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    provider.then(Break(2))
    chat.stream("Why?")
    provider.then(Fail(500))
    chat.say("Why?")
    assert chat.shown() == [("user", "Why?"), ("assistant", "Hello from ")]
    provider.then(Say("Because."))
    assert chat.answer("Why?") == "Because."
    assert chat.shown() == [("user", "Why?"), ("assistant", "Because.")]


def test_a_slow_provider_s_turn_is_not_given_up_early(chat, provider, settings):
    chat.answer("Why?")
    settings.AI_EXTENSIONS_TOTAL_TIMEOUT = -60  # everything is overdue by the site's limit
    entry = {**settings.AI_EXTENSIONS["default"], "TOTAL_TIMEOUT": 3600}
    settings.AI_EXTENSIONS = {"default": entry}
    SubmissionProcessor(None, chat.session).add("a1", [{"role": "user", "content": "Where?"}])
    assert json.loads(chat.answer())["messages"][-1].get("status") is None
