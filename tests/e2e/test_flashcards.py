"""Flashcards in a real browser: made in the background, learnt by keyboard, kept between two visits."""

from __future__ import annotations

import json
import re

import pytest

from tests.browser import in_a_browser
from tests.e2e.panels import Disclosure
from tests.fakes.steps import Say
from tests.waiting import eventually

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
PAIRS = [("Which pigment is green?", "Chlorophyll."), ("What is split?", "Water."), ("What escapes?", "Oxygen.")]


def written(pairs):
    return json.dumps({"cards": [{"question": question, "answer": answer} for question, answer in pairs]})


@pytest.fixture
def cards(page, demo):
    """The closed panel of a learner without cards, whose model writes three."""
    form = Disclosure(page, demo, "unit-flashcards", "learner")
    demo.provider.reply(written(PAIRS))
    return form


@pytest.fixture
def made(cards):
    """Three cards, the first in view."""
    cards.post("run", {"num_cards": 3})
    cards.open()
    expect(cards.card).to_contain_text(PAIRS[0][0])
    return cards


def stored(cards):
    return {card["question"]: card for card in cards.post("get_current_session_response")["cards"]}


def test_cards_are_made_and_learnt_by_keyboard_alone(cards):
    keys = cards.page.keyboard
    cards.summary.focus()
    keys.press("Enter")
    expect(cards.button("Make flashcards")).to_be_visible()
    keys.press("Tab")
    keys.type("3")
    keys.press("Enter")
    expect(cards.card).to_be_focused()  # where the focus was is gone
    expect(cards.card).to_have_accessible_name(f"Question {PAIRS[0][0]}")
    expect(cards.status).to_have_text("3 new cards on your stack.")
    keys.press("Space")
    expect(cards.whisper).to_have_text(f"Answer: {PAIRS[0][1]}")
    keys.press("3")
    expect(cards.card).to_contain_text(PAIRS[1][0])
    keys.press("3")  # not before the answer has been seen
    keys.press("Enter")
    keys.press("1")
    expect(cards.card).to_contain_text(PAIRS[2][0])
    keys.press("Enter")
    keys.press("Tab")
    expect(cards.root.get_by_role("button", name="Again")).to_be_focused()
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")  # good
    expect(cards.card).to_be_focused()
    expect(cards.card).to_contain_text(PAIRS[1][0])  # it comes again
    keys.press("Enter")
    keys.press("3")
    expect(cards.button("Practise all cards again")).to_be_focused()
    expect(cards.count).to_have_text("0 to review · 3 in total")


def test_progress_is_there_on_the_next_visit(made, demo):
    made.card.click()
    made.grade("Good").click()
    made.card.click()
    made.grade("Again").click()
    expect(made.card).to_contain_text(PAIRS[2][0])
    eventually(lambda: stored(made)[PAIRS[1][0]]["next_review_time"])
    known, again, new = (stored(made)[question] for question, _answer in PAIRS)
    assert (known["repetitions"], again["repetitions"]) == (1, 0)
    assert known["next_review_time"] > again["next_review_time"] > new["next_review_time"] == 0
    assert again["ease_factor"] < known["ease_factor"]

    made.reopen()
    expect(made.count).to_have_text("2 to review · 3 in total")
    expect(made.card).to_contain_text(PAIRS[2][0])
    assert len(demo.provider.requests) == 1


def test_a_later_run_adds_what_is_new(made, demo):
    demo.provider.always(Say(written([*PAIRS, ("What is made?", "Sugar.")])))
    made.button("Make flashcards").click()
    expect(made.status).to_have_text("1 new card on your stack.")
    made.button("Make flashcards").click()
    expect(made.status).to_have_text(re.compile("found no question that your cards"))
    expect(made.count).to_have_text("4 to review · 4 in total")


def test_a_run_can_be_cancelled_and_leaves_nothing(cards, demo):
    demo.provider.hang(300)
    cards.open()
    cards.button("Make flashcards").click()
    expect(cards.root).to_contain_text("Writing cards.")
    expect(cards.button("Cancel")).to_be_focused()
    cards.page.keyboard.press("Enter")
    expect(cards.status).to_have_text("Cancelled. Nothing was changed.")
    expect(cards.button("Make flashcards")).to_be_focused()
    assert cards.post("get_run_status") == {"status": "cancelled"}
    demo.provider.go_on()
    eventually(lambda: demo.provider.billed)  # what was asked has been answered
    assert cards.post("get_current_session_response") == {"cards": None, "status": "no_flashcards"}
    cards.button("Make flashcards").click()
    expect(cards.status).to_have_text("3 new cards on your stack.")


def test_a_run_goes_on_while_nobody_looks(cards, demo):
    demo.provider.hang(300)
    cards.open()
    cards.button("Make flashcards").click()
    expect(cards.progress).to_be_visible()
    cards.page.get_by_role("link", name="Why leaves are green").click()
    cards.open()
    expect(cards.progress).to_be_visible()
    demo.provider.go_on()
    expect(cards.card).to_contain_text(PAIRS[0][0])
    assert len(demo.provider.requests) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(401, "The AI service is currently unavailable.", id="of the provider"),
        pytest.param("no cards", "The AI model gave an answer that cannot be used.", id="of the model"),
    ],
)
def test_a_fault_is_said_now_and_on_the_next_visit(cards, demo, answer, said):
    if isinstance(answer, int):
        demo.provider.fail(answer)
    else:
        demo.provider.reply(answer)
    cards.open()
    cards.button("Make flashcards").click()
    expect(cards.alert).to_contain_text(said)
    cards.reopen()
    expect(cards.alert).to_contain_text(said)
    demo.provider.reset()
    demo.provider.reply(written(PAIRS))
    cards.button("Make flashcards").click()
    expect(cards.card).to_be_visible()
    expect(cards.alert).to_be_hidden()


def test_what_could_not_be_saved_is_said_and_saved_later(made, demo):
    demo.expected_status = "ERR_FAILED"
    made.breaks("save")
    made.card.click()
    made.grade("Good").click()
    expect(made.alert).to_contain_text("Your progress is not saved yet.")
    made.mends()
    made.button("Try again").click()
    expect(made.alert).to_be_hidden()
    assert [card["repetitions"] for card in stored(made).values()] == [1, 0, 0]


def test_a_stack_that_another_tab_removed_is_gone(made, demo):
    demo.expected_status = 400
    made.post("clear_session")
    made.card.click()
    made.grade("Good").click()
    expect(made.alert).to_contain_text("not in your stack any more")
    expect(made.card).to_be_hidden()


def test_the_better_a_card_was_known_the_later_it_comes_back(made):
    made.card.click()
    days = [made.grade(name).locator("small").inner_text() for name in ("Again", "Hard", "Good", "Easy")]
    assert days == ["soon", "1 day", "2 days", "4 days"]


def test_practising_changes_no_date(made, demo):
    for _card in range(3):
        made.card.click()
        made.grade("Good").click()
    stored = made.post("get_current_session_response")["cards"]
    made.button("Practise all cards again").click()
    made.card.click()
    expect(made.grade("Hard").locator("small")).to_be_empty()
    for _card in range(3):
        if made.root.get_by_role("button", name="Turn over").is_visible():
            made.card.click()
        made.grade("Hard").click()
    expect(made.button("Practise all cards again")).to_be_focused()
    assert made.post("get_current_session_response")["cards"] == stored


def test_a_card_can_be_changed_deleted_and_added(made):
    made.button("Edit this card").click()
    question = made.root.get_by_role("textbox", name="Question")
    expect(question).to_be_focused()
    question.fill("A better question?")
    made.button("Save the card").click()
    expect(made.card).to_contain_text("A better question?")
    expect(made.card).to_be_focused()
    made.button("Delete this card").click()
    made.dialog.get_by_role("button", name="Delete this card").click()
    expect(made.card).not_to_contain_text("A better question?")
    expect(made.count).to_contain_text("2 in total")
    made.button("Add a card of your own").click()
    question.fill("My question?")
    made.root.get_by_role("textbox", name="Answer").fill("My answer.")
    made.button("Save the card").click()
    expect(made.count).to_contain_text("3 to review · 3 in total")
    expect(made.button("Add a card of your own")).to_be_focused()
    made.reopen()
    expect(made.count).to_contain_text("3 in total")
    questions = [card["question"] for card in made.post("get_current_session_response")["cards"]]
    assert "My question?" in questions
    assert "A better question?" not in questions


def test_removing_all_cards_asks_first(made):
    dialog = made.root.get_by_role("dialog")
    made.button("Remove all cards").click()
    expect(dialog.get_by_role("button", name="Keep them")).to_be_focused()
    made.page.keyboard.press("Escape")
    expect(made.button("Remove all cards")).to_be_focused()
    made.page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Remove all cards").click()
    expect(made.status).to_have_text("Your stack is empty now.")
    assert made.post("get_current_session_response")["cards"] is None


def test_what_a_model_writes_is_text_and_fits(cards, demo):
    demo.provider.reply(written([("<img src=x onerror=alert(1)>", "Photo" * 60)]))
    cards.post("run", {"num_cards": 1})
    cards.open()
    expect(cards.card).to_contain_text("<img src=x onerror=alert(1)>")
    cards.card.click()
    assert cards.is_narrow()
    expect(cards.root.locator("img")).to_have_count(0)
