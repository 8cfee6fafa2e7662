"""What a widget learnt of each card is kept: all of it or nothing, the later review first."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from openedx_ai_extensions.workflows.orchestrators import flashcards_orchestrator as flashcards
from tests.api.conftest import error_of
from tests.waiting import PATIENCE
from tests.workflows.flashcards.conftest import Stack

pytestmark = pytest.mark.django_db

EARLY, LATE = 1_700_000_000_000, 1_700_000_600_000
LEARNT = {"next_review_time": 1_700_086_400_000, "interval": 6, "ease_factor": 2.36, "repetitions": 2}


def test_what_was_learnt_is_kept_and_nothing_else(stack):
    first, second = stack.make("One?", "Two?")
    mine = {
        "id": first["id"],
        **LEARNT,
        "last_reviewed_at": EARLY,
        "question": "Mine?",
        "answer": "Mine",
        "x": {"y": 1},
    }
    response = stack.save(mine)
    assert (response.status_code, response.json()["status"]) == (200, "saved")
    assert set(response.json()) == {"status", "message"}
    assert stack.shown() == [{**first, **LEARNT, "last_reviewed_at": EARLY}, second]
    assert set(stack.session.metadata) == {"cards"}


def test_cards_may_come_without_a_stack(stack):
    (card,) = stack.make("One?")
    assert stack.do("save", {"cards": [{**card, "repetitions": 4}]}).status_code == 200
    assert stack.shown() == [{**card, "repetitions": 4}]


ISO = "2023-11-14T22:13:20.000Z"  # EARLY
AFTER = "2023-11-14T22:13:21+00:00"


@pytest.mark.parametrize(
    ("stored", "sent", "kept"),
    [
        pytest.param(None, EARLY, "sent", id="a first review"),
        pytest.param(EARLY, LATE, "sent", id="a later review"),
        pytest.param(LATE, EARLY, "stored", id="an earlier one, from another tab"),
        pytest.param(EARLY, None, "stored", id="a tab that reviewed nothing"),
        pytest.param(EARLY, EARLY, "sent", id="the same review again"),
        pytest.param(None, None, "sent", id="never reviewed"),
        pytest.param(ISO, EARLY - 1, "stored", id="texts and milliseconds: before"),
        pytest.param(ISO, AFTER, "sent", id="texts"),
        pytest.param(EARLY // 1000, EARLY + 1, "sent", id="seconds and milliseconds"),
    ],
)
def test_of_two_tabs_the_later_review_of_a_card_counts(stack, stored, sent, kept):
    (card,) = stack.make("One?")
    assert stack.save({**card, "last_reviewed_at": stored, "repetitions": 1}).status_code == 200
    assert stack.save({**card, "last_reviewed_at": sent, "repetitions": 2}).status_code == 200
    (shown,) = stack.shown()
    expected = {"sent": (sent, 2), "stored": (stored, 1)}[kept]
    assert (shown["last_reviewed_at"], shown["repetitions"]) == expected


def test_cards_that_another_tab_made_stay(stack):
    old = stack.make("One?")
    new = stack.make("Two?")
    stack.save({**old[0], "repetitions": 1, "last_reviewed_at": EARLY})
    assert [card["id"] for card in stack.shown()] == [old[0]["id"], new[0]["id"]]


NOT_KEPT = [
    *({name: value} for name in ("next_review_time", "interval", "ease_factor", "repetitions")
      for value in (-1, "3", None, True, 1e300, [])),
    {"repetitions": 1.5},
    *({"last_reviewed_at": value} for value in (-1, "yesterday", True, "x" * 50, 1e300, {}, "9999-12-31T23:59:59Z")),
    {"last_reviewed_at": int((time.time() + 3 * 86_400) * 1000)},
    {"id": "unknown"},
    {"id": None},
    {"id": ["x"]},
]  # fmt: skip


@pytest.mark.parametrize(
    "wrong", NOT_KEPT, ids=lambda wrong: f"{next(iter(wrong))} {type(next(iter(wrong.values()))).__name__}"
)
def test_a_value_that_makes_no_sense_stores_nothing(stack, wrong):
    made = stack.make("One?", "Two?")
    assert error_of(stack.save({**made[0], "repetitions": 7}, {**made[1], **wrong})) == (400, "validation_error")
    assert stack.shown() == made


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_know(stack, raw):
    (card,) = stack.make("One?")
    body = f'{{"action": "save", "user_input": {{"cards": [{{"id": "{card["id"]}", "interval": {raw}}}]}}}}'
    assert stack.api.post(body).status_code == 400
    assert stack.shown() == [card]


@pytest.mark.parametrize(
    "user_input",
    [None, "", "text", [], {}, {"cards": None}, {"cards": {}}, {"cards": [1]}, {"card_stack": []}, {"card_stack": {}}],
    ids=str,
)
def test_an_input_of_another_form(stack, user_input):
    made = stack.make("One?")
    assert error_of(stack.do("save", user_input)) == (400, "validation_error")
    assert stack.shown() == made


def test_more_cards_than_a_stack_has(stack, monkeypatch):
    (card,) = stack.make("One?")
    monkeypatch.setattr(flashcards, "MAX_STACK_CARDS", 2)
    assert error_of(stack.save(card, card, card)) == (400, "validation_error")


def test_a_stack_that_was_cleared_in_another_tab_stays_so(stack):
    (card,) = stack.make("One?")
    stack.do("clear_session")
    assert error_of(stack.save(card)) == (400, "validation_error")
    assert stack.shown() is None


@pytest.mark.django_db(transaction=True)
def test_two_tabs_and_a_run_at_once_lose_nothing(stack, provider, learner):
    made = stack.make(*(f"Q{number}?" for number in range(8)))
    barrier = threading.Barrier(8)

    def save(card):
        try:
            tab = Stack(learner, provider)
            barrier.wait(PATIENCE)
            return tab.save({**card, "repetitions": 3, "last_reviewed_at": EARLY}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(save, made)) == {200}
    assert [card["repetitions"] for card in stack.shown()] == [3] * 8
