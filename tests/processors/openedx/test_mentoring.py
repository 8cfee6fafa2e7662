"""Problem builder and step builder: questions with their choices."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.processors.openedx.extraction import block_text, unit_sections
from openedx_ai_extensions.processors.openedx.trimming import fit
from tests.processors.openedx.blocks import block, demo_key

SECRET = "XYZZY"


def choice(value, text):
    return block("pb-choice", f"c{value}", "", value=value, content=text)


def question(category, *children, answers_visible=False, **fields):
    tip = block("pb-tip", "t", "", values=["1"], content=f"<p>{SECRET}</p>")
    return block(category, "q", "Question", *children, tip, answers_visible=answers_visible, **fields)


CHOICES = (choice("1", "<b>One</b>"), choice("2", "Two"))
ROWS = [
    pytest.param(
        {"category": "pb-mcq", "question": "<p>Which?</p>", "correct_choices": ["1"], "message": SECRET},
        CHOICES,
        "Question:\nWhich?\n- One\n- Two",
        "Question:\nWhich?\n- One (correct)\n- Two\nHint: XYZZY\nHint: XYZZY",
        id="one of several",
    ),
    pytest.param(
        {"category": "pb-mrq", "question": "Which?", "required_choices": '["2"]', "ignored_choices": ["1"]},
        CHOICES,
        "Question:\nWhich?\n- One\n- Two",
        "Question:\nWhich?\n- One\n- Two (correct)\nHint: XYZZY",
        id="some of several",
    ),
    pytest.param(
        {"category": "pb-rating", "question": "How well?", "low": "Badly", "high": "Well"},
        (choice("9", "Don't know"),),
        "Question:\nHow well?\n- 1 (Badly) to 5 (Well)\n- Don't know",
        "Question:\nHow well?\n- 1 (Badly) to 5 (Well)\n- Don't know\nHint: XYZZY",
        id="rating",
    ),
    pytest.param(
        {"category": "pb-slider", "question": "How sure?", "min_label": "0%", "max_label": "100%"},
        (),
        "Question:\nHow sure?\n0% \u2026 100%",
        "Question:\nHow sure?\n0% \u2026 100%\nHint: XYZZY",
        id="slider",
    ),
    pytest.param(
        {"category": "pb-answer", "question": "Why?", "student_input": "mine", "default_from": "x"},
        (),
        "Question:\nWhy?\n____",
        "Question:\nWhy?\n____\nHint: XYZZY",
        id="long answer",
    ),
    pytest.param(
        {"category": "pb-completion", "question": "Done?", "answer": "Yes, I am"},
        (),
        "Question:\nDone?\n- Yes, I am",
        "Question:\nDone?\n- Yes, I am\nHint: XYZZY",
        id="completion",
    ),
    pytest.param(
        {"category": "pb-swipe", "text": "Leaves are green.", "correct": True, "feedback_correct": SECRET},
        (),
        "Question:\nLeaves are green.",
        "Question:\nLeaves are green.\nHint: XYZZY\nHint: XYZZY",
        id="swipe",
    ),
]


@pytest.mark.parametrize(("fields", "children", "closed", "opened"), ROWS)
def test_questions(fields, children, closed, opened):
    category, fields = fields["category"], {name: fields[name] for name in fields if name != "category"}
    assert block_text(question(category, *children, **fields)) == closed
    assert block_text(question(category, *children, answers_visible=True, **fields)) == opened


@pytest.mark.parametrize(
    ("given", "text"),
    [
        pytest.param(block("problem-builder", "x", "Problem Builder"), "", id="a name that nobody gave"),
        pytest.param(block("step-builder", "x", "Three steps"), "Three steps", id="a name that somebody gave"),
        pytest.param(block("pb-message", "x", "", content=SECRET, type="completed"), "", id="feedback"),
        pytest.param(
            block("pb-message", "x", "", content="Well <b>done</b>", answers_visible=True),
            "Well done",
            id="open feedback",
        ),
        pytest.param(
            block("pb-answer-recap", "x", "Your goal", description="<p>You wrote:</p>"),
            "Your goal\nYou wrote:",
            id="recap",
        ),
        pytest.param(block("pb-column", "x", "Column", header="Goals"), "Goals", id="head of a column"),
    ],
)
def test_what_is_around_questions(given, text):
    assert block_text(given) == text


def test_a_question_is_one_text_within_its_step():
    mcq = block("pb-mcq", "q", "", *CHOICES, question="Which?")
    step = block(
        "sb-step", "s", "Step", block("html", "h", "", data="Read."), mcq, block("pb-message", "m", content="x")
    )
    unit = block("vertical", "u", "Unit", block("step-builder", "b", "", step))
    (section,) = unit_sections([unit], demo_key("pb-choice/c2"))
    assert [piece.here for piece in section.pieces] == [False, False, False, True, False]
    assert fit([section], None) == "# Unit\n\nRead.\n\nQuestion:\nWhich?\n- One\n- Two"
    (section,) = unit_sections([unit], unit.usage_key, {"step-builder"})
    assert fit([section], None) == "# Unit\n\nRead.\n\nQuestion:\nWhich?\n- One\n- Two"
