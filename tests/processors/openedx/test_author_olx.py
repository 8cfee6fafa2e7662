"""OLX of an author's own: what is stored as it came, and what is refused."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.processors.openedx.author_olx import MAX_CHARS, read_olx
from openedx_ai_extensions.processors.openedx.questions import olx_to_save, read_question
from tests.processors.openedx.problem_block import Problem
from tests.processors.openedx.quiz import question

NUMBER = '<numericalresponse answer="1"><formulaequationinput/></numericalresponse>'


def problem(inside, attributes=' display_name="T"'):
    return f"<problem{attributes}>{inside}</problem>"


def response(kind, inside, attributes=""):
    return problem(f"<{kind}{attributes}>{inside}</{kind}>")


CHOICES = '<choice correct="true">a</choice><choice correct="false">b</choice>'
KEPT = [
    pytest.param(problem(f"<!-- mine --><h3>A</h3><div>What?</div>{NUMBER}"), ["1"], id="comments and headings"),
    pytest.param(
        problem(f"<p>See <a href='/jump_to_id/x'>this</a> <img src='/static/a.png' alt='a'/></p>{NUMBER}"),
        ["1"],
        id="links and pictures",
    ),
    pytest.param(
        response("multiplechoiceresponse", f'<choicegroup type="MultipleChoice">{CHOICES}</choicegroup>'),
        ["choice_0"],
        id="choices without a div",
    ),
    pytest.param(
        response("optionresponse", "<optioninput options=\"('a','b')\" correct=\"a\"/>"),
        ["a"],
        id="a dropdown in one line",
    ),
    pytest.param(
        response("stringresponse", '<additional_answer answer="c"/><textline/>', ' answer="^b.*" type="regexp"'),
        ["bc"],
        id="a pattern",
    ),
    pytest.param(
        response("stringresponse", "<textline/>", r' answer="^\s*(the\s+)?sun(light)?\.?\s*" type="ci regexp"'),
        ["The sun."],
        id="a pattern with spaces",
    ),
    pytest.param(response("numericalresponse", "<formulaequationinput/>", ' answer="[1, 3)"'), ["2"], id="a range"),
    pytest.param(
        problem(
            '<p style="text-align: center; color: rgb(1, 2, 3);"><span class="x" style="text-decoration:underline">a'
            f"</span> \\(\\frac{{1}}{{2}}\\) <code>\\href</code> a &lt; b</p>{NUMBER}"
        ),
        ["1"],
        id="what editors of texts write",
    ),
    pytest.param(
        response(
            "optionresponse",
            '<optioninput><option correct="true">List&lt;String&gt; &lt;b&gt;a&lt;/b&gt;</option>'
            '<option correct="false">x</option></optioninput>',
        ),
        None,
        id="options that look like tags",
    ),
    pytest.param(
        problem(
            f'<p><a href="mailto:a@b.example">a</a><a href="#x">b</a><a href="HTTPS://x.example/a:b">c</a></p>{NUMBER}'
        ),
        ["1"],
        id="addresses of the usual kinds",
    ),
]


@pytest.mark.parametrize(("data", "right"), KEPT)
def test_what_the_problem_block_grades_is_kept_to_the_letter(data, right):
    assert read_olx(f"\n{data}\n", title="Other") == data
    assert right is None or Problem(data).submit(*right) == "correct"


@pytest.mark.parametrize("start", ["<problem>", "<problem max_attempts='2'>", "<problem\n>"])
def test_a_title_is_added_where_there_is_none(start):
    data = read_olx(f"{start}{NUMBER}</problem>", title='Mine & "own" <x>')
    made = Problem(data)
    assert made.block.display_name == 'Mine & "own" <x>'
    assert made.submit("1") == "correct"


REFUSED = [
    pytest.param("", id="nothing"),
    pytest.param("What?", id="no XML"),
    pytest.param("<problem><div></problem>", id="not well-formed"),
    pytest.param(f"<html>{NUMBER}</html>", id="no problem"),
    pytest.param(f"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>{problem('&e;' + NUMBER)}", id="an entity"),
    pytest.param(problem(f"{NUMBER}{' ' * MAX_CHARS}"), id="too long"),
    pytest.param(problem("<p>What?</p>"), id="no response"),
    pytest.param(problem('<customresponse cfn="f"><textline/></customresponse>'), id="a type that runs code"),
    pytest.param(problem(f"<coderesponse/>{NUMBER}"), id="one of ours beside one that runs code"),
    pytest.param(problem(f'<script type="loncapa/python">import os</script>{NUMBER}'), id="a script for the server"),
    pytest.param(problem(f"<div><script>alert(1)</script></div>{NUMBER}"), id="a script for the browser"),
    pytest.param(problem(f'<img src="/static/x.png" onerror="alert(1)"/>{NUMBER}'), id="a handler"),
    pytest.param(problem(f'<a href=" java&#10;script:alert(1)">x</a>{NUMBER}'), id="an address that runs"),
    pytest.param(problem(f'<img src="data:text/html,x"/>{NUMBER}'), id="an address that is data"),
    pytest.param(problem(f"<iframe src='https://evil.example/'/>{NUMBER}"), id="a frame"),
    pytest.param(problem(f'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>{NUMBER}'), id="a picture that runs"),
    pytest.param(problem(f"<video/>{NUMBER}"), id="a tag of nobody"),
    pytest.param(
        response(
            "stringresponse",
            '<textline preprocessorClassName="x" preprocessorSrc="//evil.example/x.js"/>',
            ' answer="a"',
        ),
        id="a script of a field",
    ),
    pytest.param(problem(f'<p style="position:fixed;top:0">x</p>{NUMBER}'), id="a style that covers the page"),
    pytest.param(problem(f'<p style="width:url(//evil.example)">x</p>{NUMBER}'), id="a style that loads something"),
    pytest.param(problem(f'<p formaction="javascript:alert(1)">x</p>{NUMBER}'), id="an address of a button"),
    pytest.param(problem(f'<p STYLE="position:fixed">x</p>{NUMBER}'), id="an attribute in capitals"),
    pytest.param(problem(f'<a href="feed:javascript:alert(1)">x</a>{NUMBER}'), id="an address inside another"),
    pytest.param(problem(f'<a href="vbscript:x">x</a>{NUMBER}'), id="another scheme"),
    pytest.param(
        problem(f"{NUMBER}<demandhint><hint>&lt;script&gt;alert(1)&lt;/script&gt;</hint></demandhint>"),
        id="a script in the text of a hint",
    ),
    pytest.param(
        response(
            "numericalresponse",
            '<formulaequationinput trailing_text="&lt;img src=x onerror=alert(1)&gt;"/>',
            ' answer="1"',
        ),
        id="a tag in the text of an attribute",
    ),
    pytest.param(problem(f"<p>\\(\\href{{javascript:alert(1)}}{{x}}\\)</p>{NUMBER}"), id="a link in a formula"),
    pytest.param(
        response("numericalresponse", '<formulaequationinput label="\\(\\href{x}{y}\\)"/>', ' answer="1"'),
        id="a link in the formula of an attribute",
    ),
    *(
        pytest.param(
            response(
                "stringresponse", f'<additional_answer answer="{pattern}"/><textline/>', ' answer="b" type="regexp"'
            ),
            id=f"the slow pattern {pattern}",
        )
        for pattern in ("(a+)+$", "((a*)b?)*c", "(?:a|a)+$", "(a?){30}a{30}", r"([^\)]+\s?)*x", ".*.*.*.*.*x")
    ),
    pytest.param(response("numericalresponse", "<formulaequationinput/>"), id="no answer"),
    pytest.param(response("numericalresponse", "", ' answer="1"'), id="no field"),
    pytest.param(response("stringresponse", "<optioninput/>", ' answer="1"'), id="the field of another type"),
    pytest.param(
        response("multiplechoiceresponse", f"<choicegroup>{CHOICES * 2}</choicegroup>"), id="two right of one"
    ),
    pytest.param(
        response("choiceresponse", "<checkboxgroup><choice correct='false'>a</choice></checkboxgroup>"), id="none right"
    ),
    pytest.param(
        response("choiceresponse", f"<checkboxgroup><p>a</p>{CHOICES}</checkboxgroup>"), id="a text among them"
    ),
    pytest.param(
        response("optionresponse", "<optioninput><option>a</option></optioninput>"), id="an option without a mark"
    ),
]


@pytest.mark.parametrize("data", REFUSED)
def test_what_is_refused(data):
    with pytest.raises(InvalidRequest):
        read_olx(data, title="T")


def test_the_author_is_told_of_commands_and_patterns():
    asked = r"<label>\(\href{a}{b}\)</label><textline/>"
    data = response("stringresponse", asked, ' answer="(a+)+" type="regexp"')
    with pytest.raises(InvalidRequest, match=r"\\href, a regular expression"):
        read_olx(data, title="T")


def test_the_author_is_told_what_is_not_allowed():
    data = problem(f'<script>1</script><p onclick="x">a</p><script>2</script>{NUMBER}')
    with pytest.raises(InvalidRequest, match="<script>, p onclick"):
        read_olx(data, title="T")


@pytest.mark.parametrize("olx", [None, 5, "text", {}, {"data": None}, {"data": " "}, {"category": "problem"}])
def test_without_olx_the_fields_count(olx):
    raw = question("stringresponse")
    assert olx_to_save({**raw, "olx": olx}) == read_question(raw)["olx"]


@pytest.mark.parametrize("raw", [None, "text", 7, [], {}, {"olx": "x"}])
def test_what_is_no_question_is_refused(raw):
    with pytest.raises(InvalidRequest):
        olx_to_save(raw)
