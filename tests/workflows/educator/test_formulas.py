"""Formulas that a model writes, however it escapes them, up to the problem that a learner sees and answers."""

from __future__ import annotations

import json

import pytest
from lxml import html

from tests.fakes.steps import Say
from tests.processors.llm.formulas import DECIDED, UNDECIDED
from tests.processors.openedx.problem_block import Problem
from tests.processors.openedx.quiz import choices, question
from tests.workflows.educator.conftest import reply

MARK = "@@"
AT_ONCE = 20  # questions
# Tags are no text, and what a browser shows of these is tested where HTML is.
ROWS = [row for row in DECIDED if "<code" not in row[1] and "<pre" not in row[1] and "</" not in row[2]]
# What an answer may not have: line breaks, dollar signs, tags.
ANSWERS = [row for row in ROWS if not {"\n", "$"} & set(row[2]) and "_or_" not in row[2]]
BATCHES = [ROWS[start : start + AT_ONCE] for start in range(0, len(ROWS), AT_ONCE)]
ANSWER_BATCHES = [ANSWERS[start : start + AT_ONCE] for start in range(0, len(ANSWERS), AT_ONCE)]


def written(made, body):
    """A question as a model writes it, with the body of a JSON string where the marks are."""
    return json.dumps(made, ensure_ascii=False).replace(MARK, body.replace("<", "&lt;"))


def quiz(questions):
    return f'{{"collection_name": "Formulas", "questions": [{", ".join(questions)}]}}'


def shown(text):
    """What stands in this HTML, with spaces as a browser shows them."""
    return " ".join(html.fragment_fromstring(text, create_parent="div").text_content().split())


def as_shown(text):
    return " ".join(text.split())


def marked(number):
    return question(
        display_name=f"T {number} {MARK}",
        question_html=f"<p>Q {MARK}</p>",
        choices=choices((f"C {MARK}", True, f"F {MARK}"), ("other", False, "")),
        explanation=f"<p>E {MARK}</p>",
        demand_hints=[f"H {MARK}"],
    )


@pytest.mark.parametrize("rows", BATCHES, ids=lambda rows: f"{rows[0][0]} to {rows[-1][0]}")
def test_a_formula_stays_in_every_text_of_a_graded_problem(desk, provider, rows):
    provider.always(Say(quiz(written(marked(number), body) for number, (_id, body, _text) in enumerate(rows))))
    slots = desk.write(len(rows))["question_slots"]
    assert len(provider.requests) == 1
    for number, (slot, (_id, _body, text)) in enumerate(zip(slots, rows, strict=True)):
        made = slot["versions"][0]
        expected = as_shown(text)
        assert made["display_name"] == f"T {number} {expected}"
        assert shown(made["question_html"]) == f"Q {expected}"
        assert shown(made["choices"][0]["text"]) == f"C {expected}"
        assert shown(made["choices"][0]["feedback"]) == f"F {expected}"
        assert shown(made["explanation"]) == f"E {expected}"
        assert shown(made["demand_hints"][0]) == f"H {expected}"
        problem = Problem(made["olx"]["data"])
        assert problem.block.display_name == made["display_name"]
        assert f"Q {expected}" in shown(problem.html)
        assert f"C {expected}" in shown(problem.html)
        assert problem.submit("choice_0") == "correct"
        assert f"F {expected}" in shown(problem.html)
        assert f"E {expected}" in shown(problem.shown_answers())
        assert f"H {expected}" in shown(problem.hint(0))


@pytest.mark.parametrize("rows", BATCHES, ids=lambda rows: f"{rows[0][0]} to {rows[-1][0]}")
def test_a_formula_stays_in_a_dropdown(desk, provider, rows):
    made = question("optionresponse", choices=choices((f"O {MARK}", True, f"F {MARK}"), ("other", False, "")))
    provider.always(Say(quiz(written(made, body) for _id, body, _text in rows)))
    slots = desk.write(len(rows))["question_slots"]
    for slot, (_id, _body, text) in zip(slots, rows, strict=True):
        problem = Problem(slot["versions"][0]["olx"]["data"])
        (_none, option, _other) = html.fromstring(problem.html).xpath("//select/option/@value")
        assert option == f"O {as_shown(text)}".replace("'", "’")  # the problem block's own rule for quotes
        assert problem.submit(option) == "correct"
        assert f"F {as_shown(text)}" in shown(problem.html)


@pytest.mark.parametrize("rows", ANSWER_BATCHES, ids=lambda rows: f"{rows[0][0]} to {rows[-1][0]}")
def test_a_formula_is_graded_as_an_answer(desk, provider, rows):
    made = question("stringresponse", answer_value=MARK)
    provider.always(Say(quiz(json.dumps(made).replace(MARK, body) for _id, body, _text in rows)))
    slots = desk.write(len(rows))["question_slots"]
    assert len(provider.requests) == 1
    for slot, (_id, _body, text) in zip(slots, rows, strict=True):
        assert slot["versions"][0]["answer_value"] == text
        assert Problem(slot["versions"][0]["olx"]["data"]).submit(text) == "correct"


@pytest.mark.parametrize(("body", "command"), [pytest.param(*row[1:], id=row[0]) for row in UNDECIDED])
def test_what_cannot_be_told_is_asked(desk, provider, body, command):
    provider.then(Say(quiz([written(marked(0), body)])), Say(reply(question())))
    assert len(desk.write(1)["question_slots"]) == 1
    told = provider.requests[1]["messages"][-1]["content"]
    assert "cannot be used" in told
    assert f"the command {command}." in told


def test_what_cannot_be_told_twice_is_no_quiz(desk, provider):
    provider.always(Say(quiz([written(marked(0), UNDECIDED[0][1])])))
    assert desk.refused("run", {"num_questions": 1}) == (500, "processor_error")
    assert len(provider.requests) == 2


def test_the_model_is_told_where_its_json_breaks(desk, provider):
    provider.then(Say(reply(question(display_name=MARK)).replace(MARK, 'the "best" one')), Say(reply(question())))
    desk.write(1)
    told = provider.requests[1]["messages"][-1]["content"]
    assert "This is not JSON: Expecting ',' delimiter, here: " in told
    assert "best" in told


def test_the_model_is_told_how_backslashes_are_written(desk, provider):
    desk.write(5)
    system = provider.requests[0]["messages"][0]["content"]
    assert r"\(\frac{1}{2}\) as " + r'"\\(\\frac{1}{2}\\)"' in system


COMPARISONS = [
    r"\(a<b \text{ and } b<c\)",
    r"\(0<p <1\)",
    r"\(x<s=y>z\)",
    r"\[a<i &times b\]",
    r"\begin{cases}x&not y\\u<a href\end{cases}",
]


@pytest.mark.parametrize("formula", COMPARISONS)
def test_less_than_before_a_variable_is_no_tag(desk, provider, formula):
    body = formula.replace("\\", r"\\")
    provider.always(Say(quiz([json.dumps(marked(0)).replace(MARK, body)])))
    made = desk.write(1)["question_slots"][0]["versions"][0]
    assert shown(made["question_html"]) == f"Q {formula}"
    problem = Problem(made["olx"]["data"])
    assert f"Q {formula}" in shown(problem.html)
    assert f"C {formula}" in shown(problem.html)
    assert f"E {formula}" in shown(problem.shown_answers())


def test_entities_and_tags_in_a_formula_are_what_they_are(desk, provider):
    body = r"\\(a &lt; b &amp; c\\)<br>\\(d <b>e</b>\\)"
    provider.always(Say(quiz([json.dumps(marked(0)).replace(MARK, body)])))
    made = desk.write(1)["question_slots"][0]["versions"][0]
    assert made["question_html"] == r"<p>Q \(a &lt; b &amp; c\)<br>\(d <b>e</b>\)</p>"
