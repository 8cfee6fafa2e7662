"""Learners change, delete and add cards."""

import pytest

from tests.api.conftest import error_of


def words(question="Why?", answer="So."):
    return {"question": question, "answer": answer}


def test_a_card_gets_other_words_and_keeps_its_progress(stack):
    one, two = stack.make("One?", "Two?")
    stack.save({**one, "interval": 6, "repetitions": 2})
    response = stack.do("edit_card", {"id": one["id"], **words(" Which one? ", "This.")})
    card = {**one, "question": "Which one?", "answer": "This.", "interval": 6, "repetitions": 2}
    assert response.json() == {"status": "saved", "card": card}
    assert stack.shown() == [card, two]


def test_a_card_of_one_s_own(stack):
    card = stack.do("edit_card", words()).json()["card"]
    assert (card["question"], card["answer"], card["repetitions"]) == ("Why?", "So.", 0)
    (made,) = stack.make("One?")
    assert stack.shown() == [card, made]
    assert stack.provider.requests[-1]["messages"][0]["content"].count("- Why?") == 1  # not asked again by the model


def test_a_card_is_deleted_and_no_other(stack):
    one, two = stack.make("One?", "Two?")
    assert stack.do("delete_card", {"id": one["id"]}).json() == {"status": "saved"}
    assert stack.shown() == [two]
    assert error_of(stack.do("delete_card", {"id": one["id"]})) == (400, "validation_error")
    assert error_of(stack.save(one)) == (400, "validation_error")


@pytest.mark.parametrize("action", ["edit_card", "delete_card"])
@pytest.mark.parametrize("card_id", ["unknown", 5, ["a"], ""])
def test_a_card_that_is_not_there(stack, action, card_id):
    stack.make("One?")
    assert error_of(stack.do(action, {"id": card_id, **words()})) == (400, "validation_error")
    assert len(stack.shown()) == 1


@pytest.mark.parametrize(
    "user_input",
    [None, "Why?", {}, words(question=""), words(answer="  "), words(answer=5), words(question="x" * 2001)],
)
def test_words_that_are_none(stack, user_input):
    assert error_of(stack.do("edit_card", user_input)) == (400, "validation_error")
    assert stack.shown() is None


def test_a_full_stack(stack, monkeypatch):
    monkeypatch.setattr("openedx_ai_extensions.workflows.orchestrators.flashcards_orchestrator.MAX_STACK_CARDS", 1)
    stack.make("One?")
    assert error_of(stack.do("edit_card", words())) == (400, "validation_error")
