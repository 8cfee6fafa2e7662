"""Quiz questions as OLX, loaded and graded by the platform's own problem block."""

from __future__ import annotations

import pytest
from lxml import etree

from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.processors.openedx.questions import clean_question, read_question
from openedx_ai_extensions.processors.openedx.safe_html import clean_html, unmarked, words
from tests.processors.openedx.problem_block import Problem
from tests.processors.openedx.quiz import INJECTIONS, NASTY, choices, injected, question


def problem(kind="multiplechoiceresponse", **fields):
    return Problem(olx(kind, **fields))


def olx(kind="multiplechoiceresponse", **fields):
    return read_question(question(kind, **fields))["olx"]["data"]


def read(html):
    """What people read on a page."""
    return " ".join(etree.HTML(html).xpath("string()").split())


GRADED = [
    pytest.param("multiplechoiceresponse", {}, ["choice_0"], False, "correct", id="one of several, right"),
    pytest.param("multiplechoiceresponse", {}, ["choice_1"], False, "incorrect", id="one of several, wrong"),
    pytest.param("choiceresponse", {}, ["choice_0", "choice_2"], True, "correct", id="all that are right"),
    pytest.param("choiceresponse", {}, ["choice_0"], True, "incorrect", id="one missing"),
    pytest.param("choiceresponse", {}, ["choice_0", "choice_1", "choice_2"], True, "incorrect", id="one too many"),
    pytest.param("optionresponse", {}, ["chlorophyll"], False, "correct", id="dropdown, right"),
    pytest.param("optionresponse", {}, ["water"], False, "incorrect", id="dropdown, wrong"),
    pytest.param("numericalresponse", {}, ["3.5"], False, "correct", id="number, exact"),
    pytest.param("numericalresponse", {}, ["3.6"], False, "correct", id="number, within 5%"),
    pytest.param("numericalresponse", {}, ["3.7"], False, "incorrect", id="number, outside 5%"),
    pytest.param("numericalresponse", {"tolerance": None}, ["3.6"], False, "incorrect", id="number, no tolerance"),
    pytest.param("numericalresponse", {"tolerance": 0.2}, ["3.65"], False, "correct", id="number, absolute tolerance"),
    pytest.param("numericalresponse", {"answer_value": "-2e-3"}, ["-0.002"], False, "correct", id="number, exponent"),
    pytest.param("numericalresponse", {"answer_value": "2/3"}, ["0.6667"], False, "correct", id="number, fraction"),
    pytest.param("numericalresponse", {"answer_value": 12}, ["12"], False, "correct", id="number given as a number"),
    pytest.param("stringresponse", {}, ["Chlorophyll"], False, "correct", id="word, right"),
    pytest.param("stringresponse", {}, ["CHLOROPHYLL "], False, "correct", id="word, case and space"),
    pytest.param("stringresponse", {}, ["chloroform"], False, "incorrect", id="word, wrong"),
    pytest.param("stringresponse", {"answer_value": "a.b*"}, ["a.b*"], False, "correct", id="no pattern, itself"),
    pytest.param("stringresponse", {"answer_value": "a.b*"}, ["axb"], False, "incorrect", id="no pattern, a match"),
    pytest.param("stringresponse", {"answer_value": 'l\'été & "co"'}, ['l\'été & "co"'], False, "correct", id="quotes"),
]


@pytest.mark.parametrize(("kind", "fields", "answers", "is_list", "grade"), GRADED)
def test_the_problem_block_grades(kind, fields, answers, is_list, grade):
    assert problem(kind, **fields).submit(*answers, is_list=is_list) == grade


@pytest.mark.parametrize("kind", ["multiplechoiceresponse", "choiceresponse"])
@pytest.mark.parametrize("text", NASTY)
def test_any_text_can_be_a_choice(kind, text):
    marked = choices((text, True), ("other", False), ("third", kind == "choiceresponse"))
    shown = problem(kind, choices=marked)
    assert text in read(shown.html)
    answers = ["choice_0", "choice_2"] if kind == "choiceresponse" else ["choice_0"]
    assert shown.submit(*answers, is_list=kind == "choiceresponse") == "correct"


@pytest.mark.parametrize("text", NASTY)
def test_any_text_can_be_an_option(text):
    shown = problem("optionresponse", choices=choices((text, True), ("other, thing", False)))
    options = etree.HTML(shown.html).xpath("//select/option/@value")[1:]
    assert len(options) == 2
    assert options[1] == "other, thing"
    assert shown.submit(options[0]) == "correct"
    assert shown.submit(options[1]) == "incorrect"


@pytest.mark.parametrize("text", NASTY)
def test_any_text_can_be_asked_explained_and_hinted(text):
    shown = problem(question_html=f"<p>{text}</p>", explanation=f"<p>{text}</p>", demand_hints=[text, "second"])
    assert words(text) in words(shown.html)
    assert text in read(shown.shown_answers())
    assert text in read(shown.hint(0))


def test_the_title_is_the_blocks_own():
    assert problem(display_name='Light & "leaves" <b>now</b>').block.display_name == 'Light & "leaves" <b>now</b>'


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("<p>Water is <strong>split</strong>.</p><p>So it is.</p>", "Water is split. So it is."),
        ("a &lt; b &amp; c", "a < b & c"),
        ("It &mdash; the leaf &#8212; is &quot;green&quot;", 'It — the leaf — is "green"'),
        ("one<br/>two\nthree", "one two three"),
        (r"\(a &lt; b &times c\)", r"\(a < b &times c\)"),
        ("the <a> element", "the <a> element"),
        ("<input>", "<input>"),
        ("<b></b>", "<b></b>"),
        ("List<String>", "List<String>"),
        ("x < y", "x < y"),
        ("<script>alert(1)</script>ok", "ok"),
    ],
)
def test_a_models_plain_text_is_plain(said, plain):
    assert unmarked(said) == plain
    made = clean_question(question(choices=choices((said, True, said), ("other", False)), explanation=said,
                                   demand_hints=[said]))  # fmt: skip
    assert [made["choices"][0]["text"], made["choices"][0]["feedback"], made["explanation"]] == [plain] * 3
    assert made["demand_hints"] == [plain]
    assert read(Problem(made["olx"]["data"]).shown_answers()).endswith(plain)


def test_feedback_shows_after_the_answer_and_not_before():
    shown = problem(choices=choices(("yes", True, "It <em>is</em> so."), ("no", False, "Not so.")))
    assert "Not so." not in shown.html
    shown.submit("choice_1")
    assert "Not so." in shown.html
    assert "It <em>is</em> so." not in shown.html


def test_nothing_that_tells_the_answer_is_in_the_page():
    for kind in ("multiplechoiceresponse", "choiceresponse", "optionresponse", "numericalresponse", "stringresponse"):
        html = problem(kind).html
        for secret in ("A hint.", "Because.", "Good.", 'correct="', "answer="):
            assert secret not in html, kind


@pytest.mark.parametrize("kind", ["multiplechoiceresponse", "choiceresponse", "optionresponse", "numericalresponse"])
def test_the_question_stands_above_and_the_field_has_a_name_for_ears(kind):
    asked = "<p>Read:</p><pre>a &lt; b</pre><table><tr><td>1</td></tr></table><p>Which <em>one</em>?</p>"
    page = etree.HTML(problem(kind, question_html=asked, display_name="Pick one").html)
    assert page.xpath("//pre/text()") == ["a < b"]
    assert len(page.xpath("//p[contains(., 'Which one?')]")) == 1
    [name] = page.xpath("//legend | //label[contains(@class, 'problem-group-label')]")
    assert name.xpath("string()") == "Pick one"
    assert name.xpath("*/@class") == ["sr"]


def test_plain_words_are_the_label():
    assert etree.HTML(problem("stringresponse", question_html="Which pigment?").html).xpath("string(//label)") == (
        "Which pigment?"
    )


@pytest.mark.parametrize("name", ["seed", "anonymous_student_id", "python_path", "attempt"])
def test_the_problem_blocks_own_variables_are_not_put_in(name):
    shown = problem(question_html=f"<p>It costs ${name} or $5.</p>")
    assert name in shown.html
    assert "$5" in shown.html
    assert "anonymous-7" not in shown.html


@pytest.mark.parametrize("payload", INJECTIONS)
def test_markup_is_inert_in_every_field(payload):
    for kind in ("multiplechoiceresponse", "choiceresponse", "optionresponse", "numericalresponse"):
        made = read_question(injected(kind, payload))
        root = etree.fromstring(made["olx"]["data"])
        assert not {element.tag for element in root.iter()} & {"script", "img", "svg", "iframe", "a", "style"}
        assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]
        shown = Problem(made["olx"]["data"])
        shown.submit("choice_0")  # which brings the feedback
        for html in (shown.html, shown.hint(0), shown.shown_answers()):
            page = etree.HTML(html)
            assert not page.xpath("//*[@onerror or @onload or @onclick or @style]")
            assert "alert(1)" not in "".join(page.xpath("//script//text()"))


REFUSED = [
    pytest.param("multiplechoiceresponse", {"choices": choices(("a", True))}, id="one choice"),
    pytest.param("multiplechoiceresponse", {"choices": choices(("a", True), ("b", True))}, id="two right of one"),
    pytest.param("optionresponse", {"choices": choices(("a", False), ("b", False))}, id="none right"),
    pytest.param("choiceresponse", {"choices": choices(("a", False), ("b", False))}, id="none to tick"),
    pytest.param("multiplechoiceresponse", {"choices": choices(("a", True), ("a", False))}, id="the same twice"),
    pytest.param("optionresponse", {"choices": choices(("it's", True), ("it’s", False))}, id="the same in a dropdown"),
    pytest.param("choiceresponse", {"choices": choices((" ", True), ("b", False))}, id="a choice of spaces"),
    pytest.param("multiplechoiceresponse", {"choices": None}, id="no choices"),
    pytest.param("multiplechoiceresponse", {"choices": ["a", "b"]}, id="choices that are texts"),
    pytest.param("multiplechoiceresponse", {"question_html": "<script>alert(1)</script>"}, id="no question left"),
    pytest.param("multiplechoiceresponse", {"question_html": 7}, id="a question that is a number"),
    pytest.param("multiplechoiceresponse", {"display_name": " "}, id="a title of spaces"),
    pytest.param("customresponse", {}, id="a type that runs code"),
    pytest.param("numericalresponse", {"answer_value": "about 3"}, id="no number"),
    pytest.param("numericalresponse", {"answer_value": "1/0"}, id="no quotient"),
    pytest.param("numericalresponse", {"answer_value": "nan"}, id="not a number"),
    pytest.param("numericalresponse", {"answer_value": True}, id="true"),
    pytest.param("numericalresponse", {"answer_value": float("inf")}, id="without end"),
    pytest.param("numericalresponse", {"tolerance": "some"}, id="no tolerance"),
    pytest.param("stringresponse", {"answer_value": " "}, id="no answer"),
    pytest.param("stringresponse", {"answer_value": "this_or_that"}, id="an answer that would be two"),
    pytest.param("stringresponse", {"answer_value": "<b>x</b>"}, id="an answer with tags"),
]


@pytest.mark.parametrize(("kind", "fields"), REFUSED)
def test_what_cannot_be_graded_is_refused(kind, fields):
    with pytest.raises(InvalidRequest):
        read_question(question(kind, **fields))


@pytest.mark.parametrize("raw", [None, "text", 7, [], {}])
def test_what_is_no_question_is_refused(raw):
    with pytest.raises(InvalidRequest):
        read_question(raw)


@pytest.mark.parametrize("text", [*NASTY, *INJECTIONS, "<p>a</p> <ul><li>b</ul>", "x" * 9000, "<b>" * 2000])
def test_cleaning_twice_is_cleaning_once(text):
    once = clean_html(text)
    assert clean_html(once) == once


def test_a_browsers_olx_is_not_used():
    raw = {**question("stringresponse"), "olx": {"category": "html", "data": "<problem><script>1</script></problem>"}}
    made = read_question(raw)["olx"]
    assert made["category"] == "problem"
    assert "script" not in made["data"]
