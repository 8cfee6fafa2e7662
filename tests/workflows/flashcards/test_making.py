"""Cards are made: as many as asked for, none twice, none when something is wrong."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from openedx_ai_extensions.workflows.orchestrators import flashcards_orchestrator as flashcards
from openedx_ai_extensions.xapi.constants import EVENT_COMPLETED
from tests.api.conftest import HERE, error_of
from tests.conftest import COURSE_ID, UNIT_ID
from tests.fakes.steps import DEFAULT_USAGE, Fail, Say
from tests.waiting import PATIENCE
from tests.workflows.flashcards.conftest import Stack, cards

pytestmark = pytest.mark.django_db

OTHER_UNIT = {**HERE, "locationId": UNIT_ID.replace("unit_sunlight", "unit_chlorophyll")}


def test_new_cards_have_what_a_widget_needs(stack, provider):
    made = stack.make("Why is a leaf green?", "What is glucose?")
    for card in made:
        assert card["id"]
        assert {name: value for name, value in card.items() if name not in {"id", "question", "answer"}} == {
            "next_review_time": 0,
            "interval": 1,
            "ease_factor": 2.5,
            "repetitions": 0,
            "last_reviewed_at": None,
        }
    assert [card["question"] for card in made] == ["Why is a leaf green?", "What is glucose?"]
    assert made[0]["answer"] == "Answer to Why is a leaf green?"
    assert stack.shown() == made
    system = provider.requests[0]["messages"][0]["content"]
    assert "sunlight" in system.lower()
    assert "<course_content>" in system


def test_a_fresh_stack_is_empty_and_a_cleared_one_too(stack):
    assert stack.shown() is None
    stack.make("One?")
    assert stack.do("clear_session").json() == {"response": "", "status": "session_cleared"}
    assert stack.shown() is None


def test_the_stack_spans_the_course(stack, learner):
    made = stack.make("One?")
    assert stack.do("get_current_session_response", context=OTHER_UNIT).json()["cards"] == made
    assert str(stack.session.course_id) == COURSE_ID
    assert not stack.session.location_id


def test_another_run_adds_and_repeats_none(stack, provider):
    first = stack.make("Why is a leaf green?", "What is x + y?")
    repeats = ("why is  a LEAF green", "“Why is a leaf green?”", "What is x - y?", "What is x - y?", "New?")
    second = stack.make(*repeats)
    assert [card["question"] for card in second] == ["What is x - y?", "New?"]
    assert stack.shown() == first + second
    assert len({card["id"] for card in first + second}) == 4
    told = provider.requests[1]["messages"][0]["content"]
    assert "- Why is a leaf green?\n- What is x + y?" in told


def test_the_model_is_told_a_bounded_part_of_the_questions(stack, provider, monkeypatch):
    monkeypatch.setattr(flashcards, "KNOWN_QUESTIONS_CHARS", 60)
    stack.make(*(f"Question number {number}?" for number in range(10)))
    stack.make("New?")
    told = provider.requests[1]["messages"][0]["content"]
    assert "- Question number 9?" in told
    assert "- Question number 8?" in told
    assert "- Question number 6?" not in told


@pytest.mark.parametrize(
    ("number", "made"),
    [
        pytest.param(2, 2, id="more cards than asked for are left out"),
        pytest.param(30, 25, id="fewer are fewer"),
        pytest.param(None, flashcards.DEFAULT_MAX_CARDS, id="the model decides, within limits"),
    ],
)
def test_how_many(stack, provider, number, made):
    assert len(stack.make(*(f"Q{n}?" for n in range(25)), number=number)) == made
    assert str(number or flashcards.DEFAULT_MAX_CARDS) in provider.requests[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    "user_input",
    [{"num_cards": 0}, {"num_cards": 51}, {"num_cards": -1}, {"num_cards": "5"}, {"num_cards": True},
     {"num_cards": 2.5}, {"num_cards": [5]}, "five", [5]],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("action", ["run", "run_async"])
def test_numbers_that_make_no_sense(stack, provider, action, user_input):
    assert error_of(stack.do(action, user_input)) == (400, "validation_error")
    assert provider.requests == []
    assert stack.do("get_run_status").json() == {"status": "idle"}


@pytest.mark.parametrize("user_input", [None, "", {}, {"num_cards": None}], ids=str)
def test_no_number_is_fine(stack, provider, user_input):
    provider.then(Say(cards("One?")))
    assert len(stack.do("run", user_input).json()["response"]) == 1


WRONG = [
    pytest.param("I cannot do that.", id="prose"),
    pytest.param('{"cards": [{"question": "One?", "answer":', id="broken JSON"),
    pytest.param('{"cards": []}', id="no cards"),
    pytest.param('{"flashcards": [{"question": "One?", "answer": "1"}]}', id="another name"),
    pytest.param('{"cards": [{"question": "One?"}]}', id="no answer"),
    pytest.param('{"cards": [{"question": 1, "answer": 2}]}', id="numbers"),
    pytest.param('{"cards": "One?"}', id="a text"),
    pytest.param(cards("x" * 600), id="too long"),
]


@pytest.mark.parametrize("reply", WRONG)
def test_a_reply_that_cannot_be_used_is_mended_once(stack, provider, tracked, reply):
    provider.then(Say(reply), Say(cards("Mended?")))
    made = stack.do("run", {"num_cards": 3}).json()["response"]
    assert [card["question"] for card in made] == ["Mended?"]
    assert len(provider.requests) == 2
    assert [event["name"] for event in tracked] == [EVENT_COMPLETED]
    assert tracked[0]["data"]["usage"]["total_tokens"] == 2 * DEFAULT_USAGE["total_tokens"]


@pytest.mark.parametrize("reply", WRONG)
def test_two_such_replies_are_an_error_and_store_nothing(stack, provider, tracked, reply):
    provider.then(Say(reply), Say(reply))
    assert error_of(stack.do("run")) == (500, "processor_error")
    assert stack.shown() is None
    assert tracked == []


def test_a_provider_that_fails(stack, provider, tracked):
    before = stack.make("One?")
    provider.then(Fail(401))
    assert error_of(stack.do("run")) == (500, "invalid_api_key")
    assert stack.shown() == before
    assert len(tracked) == 1


def test_markup_in_a_card_is_text(stack):
    text = "<script>alert(1)</script><img src=x onerror=alert(1)> \u0000{{ 7*7 }}"
    made = stack.make(text)
    assert made[0]["question"] == text.replace("\u0000", "")
    response = stack.do("get_current_session_response")
    assert response["Content-Type"] == "application/json"
    assert json.loads(response.content)["cards"] == made


def test_blank_cards_are_left_out(stack):
    made = stack.make("   ", " One? ")
    assert [card["question"] for card in made] == ["One?"]
    assert stack.shown() == made


def test_a_stack_is_not_endless(stack, provider, monkeypatch):
    monkeypatch.setattr(flashcards, "MAX_STACK_CARDS", 3)
    stack.make("One?", "Two?")
    assert [card["question"] for card in stack.make("Three?", "Four?")] == ["Three?"]
    asked = len(provider.requests)
    assert error_of(stack.do("run")) == (400, "validation_error")
    assert len(provider.requests) == asked


def test_a_stranger_gets_none(stranger, stack, provider):
    assert error_of(Stack(stranger, provider).do("run")) == (403, "permission_denied")
    assert provider.requests == []


@pytest.mark.django_db(transaction=True)
def test_runs_at_once_lose_and_repeat_none(stack, provider, learner):
    provider.always(Say(cards("One?", "Two?", "Three?")))
    stack.do("get_current_session_response")
    barrier = threading.Barrier(6)

    def make(_number):
        try:
            tab = Stack(learner, provider)
            barrier.wait(PATIENCE)
            return tab.do("run").json()["response"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        made = [card for response in pool.map(make, range(6)) for card in response]
    assert sorted(card["question"] for card in made) == ["One?", "Three?", "Two?"]
    assert sorted(card["id"] for card in stack.shown()) == sorted(card["id"] for card in made)
