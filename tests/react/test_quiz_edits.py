"""What an author edits in the published editor, as fields or as OLX, is what the library gets, and what is graded."""

from __future__ import annotations

import copy
import re

import pytest

from tests.fakes.steps import Say
from tests.processors.openedx.problem_block import Problem
from tests.processors.openedx.quiz import choices, question
from tests.react import editor
from tests.react.client import ReactPackage
from tests.workflows.educator.conftest import library, reply
from tests.workflows.educator.library import KEY

__all__ = ["library"]

KINDS = editor.TYPES
# Plain text that looks like anything else.
ODD = 'if a < b & c > d: "<b>" – 日本語 😀 \\(\\frac{1}{2}\\) &lt;'
FIELDS = ("displayName", "questionHtml", "problemType", "choices", "answerValue", "tolerance", "explanation",
          "demandHints")  # fmt: skip
# How each type is answered right and wrong.
ANSWERS = {
    "multiplechoiceresponse": (["choice_0"], ["choice_1"]),
    "choiceresponse": (["choice_0", "choice_2"], ["choice_0"]),
    "optionresponse": (["chlorophyll"], ["water"]),
    "numericalresponse": (["3.5"], ["4"]),
    "stringresponse": (["chlorophyll"], ["water"]),
}


@pytest.fixture
def package(author, make_scope, provider, library):
    make_scope(base_filepath="base/quiz.json5", slug="quiz")
    return ReactPackage(author)


def written(package, provider, kind, **fields):
    """A question that a model has written, as the package has it."""
    provider.then(Say(reply(question(kind, **fields))))
    return package.run({"num_questions": 1})["questionSlots"][0]["versions"][0]


def saved(package, library, edited):
    """The OLX in the library, of a question that was saved."""
    answer = package.save(KEY, [edited], collection_name="Light")
    assert (answer["saved"], answer["failed"]) == (1, [])
    [olx] = library.problems
    return olx


def check_grades(olx, kind, right=None):
    is_list = kind == "choiceresponse"
    answers = ANSWERS[kind]
    assert Problem(olx).submit(*(right or answers[0]), is_list=is_list) == "correct"
    assert Problem(olx).submit(*answers[1], is_list=is_list) == "incorrect"


@pytest.mark.parametrize("kind", KINDS)
def test_the_editor_reads_what_it_is_handed(package, provider, kind):
    made = written(
        package, provider, kind, explanation="<p>Because <b>of</b> it.</p>", demand_hints=["a &lt; b", "two"]
    )
    assert made["explanation"] == "Because of it."
    assert made["demandHints"] == ["a < b", "two"]
    assert editor.read(made["olx"]["data"]) == {name: made[name] for name in FIELDS}
    check_grades(made["olx"]["data"], kind)


@pytest.mark.parametrize("kind", KINDS)
def test_fields_that_were_edited(package, provider, library, kind):
    edited = copy.deepcopy(written(package, provider, kind))
    edited |= {"displayName": "Mine & <own>", "questionHtml": "<p>Mine &amp; <em>own</em>?</p>", "explanation": ODD}
    edited["demandHints"] = [ODD, "two"]
    for choice in edited["choices"]:
        choice["feedback"] += ODD
    if edited["choices"]:
        edited["choices"][2]["text"] = ODD
    edited["olx"] = {"category": "problem", "data": editor.write(edited)}
    olx = saved(package, library, edited)
    assert editor.read(olx) == {name: edited[name] for name in FIELDS}
    problem = Problem(olx)
    assert problem.block.display_name == "Mine & <own>"
    assert "Mine &amp; <em>own</em>?" in problem.html
    is_many = kind == "choiceresponse"
    assert problem.submit(*ANSWERS[kind][0], is_list=is_many) == "correct"
    if edited["choices"]:
        assert "Good.if a &lt; b &amp; c &gt; d:" in problem.html
    check_grades(olx, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_olx_that_was_edited_is_kept_to_the_letter(package, provider, library, kind):
    made = written(package, provider, kind)
    data = made["olx"]["data"]
    data = data.replace("Because.", "Because <strong>I</strong> say so, &amp; for one more reason:</p><p>this one.")
    data = data.replace("<div>A hint.</div>", "<div>First.</div></hint>\n  <hint><div>A &lt;second&gt; one.</div>")
    data = re.sub(r"(<problem [^>]*)", r'\1 max_attempts="3"', data).replace("No.", "No, no, no.")
    edited = {**editor.read(data), "olx": {"category": "problem", "data": f"{data}\n"}}
    olx = saved(package, library, edited)
    assert olx.strip() == data.strip()
    problem = Problem(olx)
    assert problem.block.max_attempts == 3
    assert "this one." in problem.shown_answers()
    assert "A &lt;second&gt; one." in problem.hint(1)
    problem.submit(*ANSWERS[kind][1], is_list=kind == "choiceresponse")
    if made["choices"] and kind != "choiceresponse":
        assert "No, no, no." in problem.html
    check_grades(olx, kind)


def test_another_type_and_another_answer_in_the_olx(package, provider, library):
    written(package, provider, "multiplechoiceresponse")
    data = editor.write({**question_fields("stringresponse"), "answerValue": "sugar"})
    olx = saved(package, library, {**editor.read(data), "olx": {"category": "problem", "data": data}})
    check_grades(olx, "stringresponse", right=["sugar"])


def question_fields(kind):
    return editor.read(editor.write({
        "displayName": "", "questionHtml": "What is made?", "problemType": kind, "choices": [], "answerValue": "x",
        "tolerance": None, "explanation": "", "demandHints": [],
    }))  # fmt: skip


def test_olx_that_the_editor_cannot_read_wholly_is_kept_all_the_same(package, provider, library):
    """Two questions in one problem, and no div above: the fields that come along say next to nothing."""
    written(package, provider, "multiplechoiceresponse")
    data = (
        '<problem display_name="Two"><p>One?</p>'
        '<numericalresponse answer="1"><formulaequationinput/></numericalresponse>'
        '<p>Two?</p><stringresponse answer="two" type="ci"><additional_answer answer="2"/><textline/></stringresponse>'
        "</problem>"
    )
    fields = {**question_fields("numericalresponse"), "questionHtml": "", "answerValue": "1"}
    assert saved(package, library, {**fields, "olx": {"category": "problem", "data": data}}) == data


def test_fields_that_changed_alone_count(package, provider, library):
    """A client that knows of no OLX sends it back as it was."""
    made = written(package, provider, "numericalresponse")
    olx = saved(package, library, {**made, "answerValue": "7", "explanation": "It is seven."})
    assert (editor.read(olx)["answerValue"], editor.read(olx)["explanation"]) == ("7", "It is seven.")


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_edited_is_what_was_handed_out(package, provider, library, kind):
    made = written(package, provider, kind, choices=choices(("it's", True), ("x", False), ("y", kind == KINDS[1]))
                   if kind in KINDS[:3] else [])  # fmt: skip
    assert saved(package, library, made) == made["olx"]["data"]
