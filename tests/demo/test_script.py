"""What the script says goes the way of a model's answer: over the wire, checked, reviewed, saved."""

from __future__ import annotations

import json

import pytest

from openedx_ai_extensions.demo import library, scripted_items
from openedx_ai_extensions.demo.providers import choose
from tests.api.conftest import error_of
from tests.processors.openedx.quiz import question

POOL = json.loads(scripted_items.FILE.read_text(encoding="utf-8"))


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
    numbers = [len(ask("learner", "unit-flashcards", "run", {"num_cards": 5}).json()["response"]) for _time in range(3)]
    assert numbers == [5, 5, 1], "those about what the unit contains"


def test_what_the_unit_is_about_comes_first():
    cards = json.loads(scripted_items.items("flashcards", "… Pigments of a leaf …"))["cards"]
    about = {card["question"] for card in POOL["cards"] if card["about"] == "Pigments"}
    assert {card["question"] for card in cards[: len(about)]} == about


def test_another_course_gets_gaps_in_its_own_sentences():
    text = (
        "# Rivers\n\n## Springs\nMost springs carry only a little water. 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.\nA | B"
        "\nThe speed of water is \\(v = \\sqrt{2 g h}\\), as Torricelli found."
    )
    everything = json.loads(scripted_items.items("", f"Write.\n<course_content>\n{text}\n</course_content>"))
    [card], [gap] = everything["cards"], everything["questions"]
    assert card["answer"] == gap["answer_value"] == "springs"
    assert "Most _____ carry" in card["question"]
    assert "without AI" in card["question"]
    assert "without AI" in gap["explanation"]


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
