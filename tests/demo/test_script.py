"""What the script says goes the way of a model's answer: over the wire, checked, reviewed, saved."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model

from openedx_ai_extensions.demo import library, scripted_model
from openedx_ai_extensions.demo.providers import choose
from openedx_ai_extensions.demo.seed import seed
from tests.api.conftest import HERE, Api, error_of
from tests.processors.openedx.quiz import question

POOL = json.loads(scripted_model.FILE.read_text(encoding="utf-8"))


@pytest.fixture
def ask(scripted, shelf, db):
    """Run an action in a slot of the seeded demo as somebody."""
    seed()

    def ask(name, slot, action, user_input=None):
        person = get_user_model().objects.get(username=name)
        return Api(person).run(user_input, action=action, context={**HERE, "uiSlotSelectorId": slot})

    return ask


def test_every_scripted_question_can_be_asked(ask):
    answer = ask("author", "unit-quiz", "run", {"num_questions": len(POOL["questions"])}).json()["response"]
    written = [slot["versions"][0] for slot in answer["question_slots"]]
    assert all(question["olx"] for question in written)
    assert {question["problem_type"] for question in written} == {
        "multiplechoiceresponse", "choiceresponse", "optionresponse", "numericalresponse", "stringresponse",
    }  # fmt: skip


def test_more_than_there_are_is_refused_in_words(ask):
    answer = ask("author", "unit-quiz", "run", {"num_questions": len(POOL["questions"]) + 1})
    assert error_of(answer) == (500, "processor_error")


def test_another_version_repeats_none_in_review(ask):
    ask("author", "unit-quiz", "run", {"num_questions": 3})
    seen = []
    for _time in range(3):
        response = ask("author", "unit-quiz", "regenerate_question", {"question_index": 0}).json()["response"]
        seen = [version["display_name"] for version in response["history"]]
    others = [slot["display_name"] for slot in POOL["questions"][1:3]]
    assert len(set(seen)) == 4
    assert not set(seen) & set(others)


def test_cards_are_never_repeated(ask):
    numbers = [
        len(ask("learner", "unit-flashcards", "run", {"num_cards": 10}).json()["response"]) for _time in range(3)
    ]
    assert numbers == [10, len(POOL["cards"]) - 10, 0]


def test_what_the_unit_is_about_comes_first():
    cards = json.loads(scripted_model.answer("flashcards", "… Pigments of a leaf …"))["cards"]
    about = {card["question"] for card in POOL["cards"] if card["about"] == "Pigments"}
    assert {card["question"] for card in cards[: len(about)]} == about


def test_without_its_server_the_script_still_answers():
    everything = json.loads(choose({}).providers["structured"]["MOCK_RESPONSE"])
    assert set(everything) == {"collection_name", "questions", "cards"}


@pytest.mark.parametrize("name", ["learner", "stranger"])
def test_only_authors_have_questions_written(ask, name):
    assert error_of(ask(name, "unit-quiz", "run", {"num_questions": 1})) == (403, "permission_denied")


def test_collections_are_shown_as_they_were_saved(ask):
    for title, publish in (("Zoo", True), ("apple", False)):
        wanted = {"questions": [question(display_name=title)], "collection_name": title, "publish": publish}
        answer = ask("author", "unit-quiz", "save", {"library_id": library.LIBRARY_ID, **wanted})
        assert answer.status_code == 200
    assert [found["title"] for found in library.collections()] == ["apple", "Zoo"]
    shown = {found["title"]: library.problems(found["key"]) for found in library.collections()}
    assert {title: [problem.is_published for problem in problems] for title, problems in shown.items()} == {
        "apple": [False],
        "Zoo": [True],
    }
