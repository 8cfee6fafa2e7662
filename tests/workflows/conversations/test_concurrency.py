"""Many requests at once, by many people or by one with many tabs: one session each, and no answer is lost."""

from __future__ import annotations

import itertools
import json
import random
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from openedx_ai_extensions.models import AIWorkflowSession
from tests.conftest import SECRET
from tests.fakes.provider import FakeProvider
from tests.waiting import eventually
from tests.workflows.conversations.conftest import CHAT, JSON, Chat

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 25
LEARNER_WORDS = re.compile(r"<learner_message>\n(.*?)\n</learner_message>", re.DOTALL)
GREETING = "hello there, this place is about light"
INITIALIZED, INTERACTED = "openedx.ai.workflow.initialized", "openedx.ai.workflow.interacted"

# SQLite has one writer at a time: more takes minutes there, and tells little.
FIRST_REQUESTS, REQUESTS, PEOPLE = (12, 60, 12) if connection.vendor == "sqlite" else (50, 100, 30)


class EchoingProvider(FakeProvider):
    """Answers each request with a text of its own: a number and the learner's words, one word a chunk.

    Attributes:
        given: the answers, each listed before its first byte is sent, so that a client never knows one first.
        gate: answers wait until it is set, as it is at first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.given: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        numbers = itertools.count(1)
        provider = self

        class Echoing(self._server.RequestHandlerClass):
            def _answer(self, api, body, script):
                said = LEARNER_WORDS.findall(_texts(body)[-1])
                words = f"{next(numbers)}: {said[-1] if said else GREETING}".split()
                chunks = [word if place == 0 else f" {word}" for place, word in enumerate(words)]
                provider.gate.wait(300)
                provider.given.append("".join(chunks))
                super()._answer(api, body, replace(script, chunks=chunks))

        self._server.RequestHandlerClass = Echoing
        self._server.socket.listen(200)  # socketserver lets five connections wait


def _texts(body):
    """What a request says, in either of OpenAI's APIs, the last at the end."""
    return [part.get("content") or part.get("output") or "" for part in body.get("messages") or body["input"]]


@pytest.fixture
def provider(settings):
    (course,) = settings.AI_EXTENSIONS_STANDALONE["COURSES"]
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{**course, "learners": "*"}]}
    with EchoingProvider() as fake:
        settings.AI_EXTENSIONS = {
            "default": {"MODEL": "openai/gpt-fake", "API_KEY": SECRET, "API_BASE": fake.base_url},
        }
        yield fake


@pytest.fixture(params=["our history", "the provider's threads"])
def memory(request, provider):
    if request.param == "the provider's threads":
        request.getfixturevalue("responses")
    return request.param


def another_tab(chat):
    """The same person, with a client of their own for a thread of its own."""
    tab = Chat(None)
    tab.user = chat.user
    tab.api.client.cookies = copy(chat.api.client.cookies)
    return tab


def ask(tab, text, headers):
    """Status and text of an answer that is read to its end."""
    try:
        response = tab.say(text, headers=headers)
        if response.streaming:
            return response.status_code, b"".join(response.streaming_content).decode()
        return response.status_code, response.json().get("response")
    finally:
        connection.close()


def all_shown(chat):
    """Every message that a widget can get, by scrolling back to the beginning."""
    page = json.loads(chat.answer())
    shown = page["messages"]
    while page["metadata"]["has_more"]:
        page = json.loads(chat.do("lazy_load_chat_history", len(shown))["response"])
        shown = page["messages"] + shown
    return [(message["role"], message["content"]) for message in shown]


def run_at_once(chats, questions, threads):
    """Ask all at once, every other one streamed; the answers by question."""
    barrier = threading.Barrier(threads)
    waiting = iter(range(threads))

    def one(number, chat, question):
        if next(waiting, None) is not None:
            barrier.wait(300)
        return ask(another_tab(chat), question, JSON if number % 2 else {})

    with ThreadPoolExecutor(threads) as pool:
        jobs = [
            pool.submit(one, number, chat, text)
            for number, (chat, text) in enumerate(zip(chats, questions, strict=True))
        ]
        answers = [job.result() for job in jobs]
    assert Counter(status for status, _text in answers) == {200: len(questions)}
    return dict(zip(questions, (text for _status, text in answers), strict=True))


def assert_kept(provider, chats, answers, tracked):
    """One session each; each question is followed by its own answer; all that was paid for is there, and told once."""
    assert AIWorkflowSession.objects.count() == len(chats)
    assert sorted(provider.given) == sorted(answers.values())
    pairs = []
    for chat in chats:
        shown = all_shown(chat)
        assert [role for role, _text in shown] == ["user", "assistant"] * (len(shown) // 2)
        texts = [text for _role, text in shown]
        pairs += zip(texts[::2], texts[1::2], strict=True)
        assert [message["content"] for message in chat.session.get_local_thread()] == texts
        told = Counter(event["name"] for event in tracked if event["data"]["user_id"] == chat.user.pk)
        assert told == Counter({INITIALIZED: 1, INTERACTED: len(texts) // 2 - 1}) + Counter()
    assert Counter(pairs) == Counter(answers.items())
    assert len(provider.requests) == len(answers), "opening a chat asks nobody"


def test_first_requests_of_one_person(chat, provider, memory, tracked):
    questions = [f"question {number} of many" for number in range(FIRST_REQUESTS)]
    answers = run_at_once([chat] * FIRST_REQUESTS, questions, FIRST_REQUESTS)
    assert_kept(provider, [chat], answers, tracked)


def test_requests_of_many_people(provider, make_scope, memory, tracked):
    make_scope(base_filepath=CHAT, slug="chat")
    users = get_user_model().objects
    chats = [Chat(users.create_user(f"learner{number}")) for number in range(PEOPLE)]
    askers = [chats[number % PEOPLE] for number in range(REQUESTS)]
    random.Random(1).shuffle(askers)
    questions = [f"question {number} by {chat.user}" for number, chat in enumerate(askers)]
    answers = run_at_once(askers, questions, THREADS)
    assert_kept(provider, chats, answers, tracked)


SHORT, LONG = "short one", "long one " + "with many words " * 3


@pytest.mark.parametrize(
    "questions", [(LONG, SHORT), (SHORT, LONG), (LONG, LONG + "too")], ids=["second ends first", "first", "like"]
)
@pytest.mark.parametrize("before", [0, 1], ids=["in a fresh chat", "after a turn"])
def test_two_tabs_at_the_same_moment(chat, provider, memory, questions, before):
    for number in range(before):
        chat.answer(f"earlier {number}")
    provider.reply("", delay=0.02)
    provider.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        jobs = []
        for number, question in enumerate(questions, before + 1):
            jobs.append(pool.submit(ask, another_tab(chat), question, {}))
            eventually(lambda number=number: len(provider.requests) == number)
        provider.gate.set()
        (first, first_answer), (second, second_answer) = (job.result() for job in jobs)
    assert (first, second) == (200, 200)
    asked = [question.strip() for question in questions]
    assert [(role, text.strip()) for role, text in all_shown(chat)[2 * before :]] == [
        ("user", asked[0]), ("assistant", first_answer), ("user", asked[1]), ("assistant", second_answer),
    ]  # fmt: skip
    assert first_answer.endswith(asked[0])
    assert second_answer.endswith(asked[1])

    provider.reply("")
    chat.answer("and now?")
    request = provider.requests[-1]
    assert "previous_response_id" not in request, "no thread of the provider holds both"
    sent = "\n".join(_texts(request))
    places = [sent.index(text) for text in (questions[0], first_answer, f"\n{questions[1]}\n", second_answer)]
    assert places == sorted(places)


def clear_during(chat, provider, text, headers):
    """Clear the chat in one tab while an answer comes in another; hand back that answer."""
    tab, asked = another_tab(chat), len(provider.requests)
    if not headers:
        provider.reply("", delay=0.02)
        response = tab.say(text, headers={})
        chat.do("clear_session")
        return b"".join(response.streaming_content).decode()
    provider.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(ask, tab, text, headers)
        eventually(lambda: len(provider.requests) == asked + 1)
        chat.do("clear_session")
        provider.gate.set()
        status, answer = under_way.result()
    assert status == 200
    return answer


streamed_or_whole = pytest.mark.parametrize("headers", [{}, JSON], ids=["streamed", "whole"])


@streamed_or_whole
@pytest.mark.parametrize("before", [0, 2], ids=["first turn", "third turn"])
def test_clearing_while_an_answer_comes_in_another_tab(chat, provider, memory, headers, before):
    for number in range(before):
        chat.answer(f"earlier {number}")
    answer = clear_during(chat, provider, "why is it green?", headers)
    assert answer == provider.given[-1], "who waits for it still reads it"
    assert chat.do("get_current_session_response")["response"] is None
    assert chat.session.get_local_thread() is None

    provider.reply("")
    assert chat.answer("a new beginning") == provider.given[-1]
    request = provider.requests[-1]
    assert "previous_response_id" not in request
    assert len(_texts(request)) == (2 if "messages" in request else 1), "nothing of what was cleared"
    assert chat.shown() == [("user", "a new beginning"), ("assistant", provider.given[-1])]


@streamed_or_whole
def test_clearing_while_a_greeting_comes_in_another_tab(chat, provider, memory, headers):
    clear_during(chat, provider, None, headers)
    assert chat.do("get_current_session_response")["response"] is None
    assert chat.session.get_local_thread() is None


@streamed_or_whole
@pytest.mark.parametrize("before", [0, 2], ids=["first turn", "third turn"])
def test_a_turn_that_was_cleared_leaves_no_trace_in_the_session(chat, provider, memory, tracked, headers, before):
    for number in range(before):
        chat.answer(f"earlier {number}")
    clear_during(chat, provider, "why is it green?", headers)
    chat.answer("a new beginning")
    session = AIWorkflowSession.objects.get()
    said = ["a new beginning", provider.given[-1]]
    assert [message["content"] for message in session.get_local_thread()] == said
    assert [entry["content"] for entry in session.get_combined_thread() if entry["role"] != "system"] == said
    remote = session.get_remote_thread()
    assert len(remote or ()) == (memory == "the provider's threads")
    assert tracked[-1]["name"] == INITIALIZED
