"""Formulas on cards, however a model escapes them."""

from __future__ import annotations

import pytest

from tests.fakes.steps import Say
from tests.processors.llm.formulas import DECIDED, UNDECIDED
from tests.workflows.flashcards.conftest import cards

pytestmark = pytest.mark.django_db

AT_ONCE = 50  # cards
BATCHES = [DECIDED[start : start + AT_ONCE] for start in range(0, len(DECIDED), AT_ONCE)]


def written(rows):
    """What a model says that writes these texts on cards, each on both sides."""
    made = (f'{{"question": "Card {number}: {row[1]}", "answer": "{row[1]}"}}' for number, row in enumerate(rows))
    return f'{{"cards": [{", ".join(made)}]}}'


@pytest.mark.parametrize("rows", BATCHES, ids=lambda rows: f"{rows[0][0]} to {rows[-1][0]}")
def test_a_formula_stays_on_both_sides(stack, provider, rows):
    provider.then(Say(written(rows)))
    made = stack.do("run", {"num_cards": len(rows)}).json()["response"]
    assert len(provider.requests) == 1
    assert [card["answer"] for card in made] == [row[2] for row in rows]
    assert [card["question"] for card in made] == [f"Card {number}: {row[2]}" for number, row in enumerate(rows)]
    assert stack.shown() == made


def test_what_cannot_be_told_is_asked(stack, provider):
    provider.then(Say(written(UNDECIDED)), Say(cards("Mended?")))
    made = stack.do("run", {"num_cards": 1}).json()["response"]
    assert [card["question"] for card in made] == ["Mended?"]
    assert r"the command \nu." in provider.requests[1]["messages"][-1]["content"]
