r"""A formula that a model wrote has no link, style or new command: MathJax would make a link that runs code of it."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.processors.openedx.questions import clean_question
from openedx_ai_extensions.processors.openedx.safe_html import clean_html, unmarked

ATTACKS = {
    "link": r"\(\href{javascript:alert(1)}{x}\)",
    "link, spaced": "\\[ \\href \n {javascript:alert(1)} {x} \\]",
    "link in an entity": r"\(&#92;href{javascript:alert(1)}{x}\)",
    "link across a comment": r"\(\hr<!-- -->ef{javascript:alert(1)}{x}\)",
    "link across an element": r"\(\hr<script></script>ef{javascript:alert(1)}{x}\)",
    "link after a row break": r"\begin{array}{c}a\\\href{javascript:alert(1)}{x}\end{array}",
    "link in dollar signs": r"$$\href{javascript:alert(1)}{x}$$",
    "link of MathJax's own tag": r"[mathjaxinline]\href{javascript:alert(1)}{x}[/mathjaxinline]",
    "halves of a link": r"\(\hr\href{a}ef{javascript:alert(1)}{x}\)",
    "name of an element": r"\(\cssId{a}{x}\)",
    "class of an element": r"\(\class{a}{x}\)",
    "style of an element": r"\(\style{position:fixed}{x}\)",
    "package": r"\(\require{html}x\)",
    "new command": r"\(\def\a{\href}\a{javascript:alert(1)}{x}\)",
    "new name": r"\(\let\a=\href \a{javascript:alert(1)}{x}\)",
    "new operator": r"\(\DeclareMathOperator{\a}{x}\)",
}  # fmt: skip
ACTIVE = ("\\href", "\\cssId", "\\class", "\\style", "\\require", "\\def", "\\let", "\\Declare")


def quiz(text: str) -> dict:
    choices = [{"text": text, "is_correct": True, "feedback": text}, {"text": "b", "is_correct": False, "feedback": ""}]
    return {
        "display_name": "Q", "question_html": f"<p>{text}</p>", "problem_type": "multiplechoiceresponse",
        "choices": choices, "answer_value": None, "tolerance": None, "explanation": text, "demand_hints": [text],
    }  # fmt: skip


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_nothing_active_is_left_of_a_question(text):
    question = clean_question(quiz(text))
    written = f"{question} {question['olx']['data']}"
    assert not [command for command in ACTIVE if command in written.replace("\\\\", "\\")]
    assert "x" in question["question_html"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (r"\(\href{javascript:alert(1)}{x}\)", r"\( {x}\)"),
        (r"<p>\(a \\ class\)</p>", r"<p>\(a \\ class\)</p>"),
        (r"\(\left\{\frac{1}{2}\right\}, \delta, \letter\)", r"\(\left\{\frac{1}{2}\right\}, \delta, \letter\)"),
        (r"<code>\href{a}{b}</code> and \(x\)", r"<code>\href{a}{b}</code> and \(x\)"),
        (r"What does \newcommand do?", r"What does \newcommand do?"),
    ],
)
def test_the_rest_stays(text, left):
    assert clean_html(text) == left


def test_plain_text_too():
    assert unmarked(r"\(\href{javascript:alert(1)}{x}\)") == r"\( {x}\)"
