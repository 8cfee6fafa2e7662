"""What is read from the JSON strings that models write: LaTeX with single backslashes, and escapes that are escapes."""

from __future__ import annotations

import json

import pytest

from openedx_ai_extensions.processors.llm.conversation.json_reply import UnreadableReply, parse_json, read_string
from tests.processors.llm.formulas import DECIDED, ESCAPED, MEANT, SPELLINGS, UNDECIDED


@pytest.mark.parametrize(("body", "text"), [pytest.param(*row[1:], id=row[0]) for row in DECIDED])
def test_a_string_is_read_as_it_is_meant(body, text):
    assert read_string(body) == (text, [])


@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda spelling: spelling.__name__)
@pytest.mark.parametrize("text", MEANT)
def test_a_formula_is_read_in_whichever_way_it_is_spelled(spelling, text):
    assert read_string(spelling(text)) == (text, [])


@pytest.mark.parametrize(("body", "text"), [pytest.param(*row[1:], id=row[0]) for row in ESCAPED])
def test_what_is_escaped_as_json_wants_it_is_what_json_says(body, text):
    assert json.loads(f'"{body}"') == text


@pytest.mark.parametrize(("body", "command"), [pytest.param(*row[1:], id=row[0]) for row in UNDECIDED])
def test_what_cannot_be_told_is_said(body, command):
    (told,) = read_string(body)[1]
    assert f"the command {command}." in told
    assert f"as \\{command};" in told


LETTERS = {"n": "\n", "r": "\r", "t": "\t"}


@pytest.mark.parametrize(("letter", "character"), LETTERS.items(), ids=list(LETTERS))
def test_an_escape_before_what_is_no_letter_is_an_escape(letter, character):
    for after in ("", " ", "1", "é", "<p>", "(", "\\\\(x\\\\)"):
        text, told = read_string(f"a\\{letter}{after}")
        assert text == f"a{character}{after}".replace("\\\\", "\\")
        assert told == []


TWO_BACKSLASHES = [r"\\server\\share", r"The regular expression \\(\\d+\\)", r"the interval \\[0, 1\\]"]


@pytest.mark.parametrize("text", TWO_BACKSLASHES)
def test_two_backslashes_that_are_meant_are_two(text):
    assert read_string(json.dumps(text)[1:-1]) == (text, [])


UNREADABLE = [
    pytest.param("I can't do that.", "Expecting value", id="words"),
    pytest.param("", "there is nothing", id="nothing"),
    pytest.param('{"a": "b"', "at the end", id="cut off"),
    pytest.param('{"a": "b', "Unterminated string", id="cut off in a string"),
    pytest.param('{"a": "say "hello""}', 'here: {"a": "say "hello""}', id="quotes in quotes"),
    pytest.param('Here:\n```json\n{"a": 1,}\n```\n', 'here: {"a": 1,}', id="a comma too many, in a fence"),
    pytest.param('Sure: {"a": [1, {"b": 2}], "c": "d', "Unterminated string", id="cut off, behind words"),
    pytest.param(
        '{"a": [1, {"b": "c" "d"}]} or so', """',' delimiter, here: {"a": [1""", id="broken, with a list inside"
    ),
    pytest.param('{"a": NaN}', "NaN is not a number", id="no number"),
    pytest.param('{"a": 1e999}', "1e999 is not a number", id="without end"),
    pytest.param("[" * 100_000, "nested too deep", id="too deep"),
    pytest.param('"\\' * 100_000, "This is not JSON", id="quotes and backslashes without end"),
]


@pytest.mark.parametrize(("reply", "reason"), UNREADABLE)
def test_the_reason_is_said_when_there_is_no_json(reply, reason):
    with pytest.raises(UnreadableReply) as caught:
        parse_json(reply)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 200


def test_doubled_braces_are_none():
    assert parse_json('{{"a": {"b": 1}}}') == ({"a": {"b": 1}}, [])


def test_the_longest_object_among_words_is_read_with_its_formulas():
    reply = r'A set {1, 2} and {"a": 1}, then {"a": ["\(\frac{1}{2}\)", {"b": "}"}]} and "more" {'
    assert parse_json(reply) == ({"a": [r"\(\frac{1}{2}\)", {"b": "}"}]}, [])


def test_characters_that_nothing_can_print_are_left_out():
    assert parse_json(r'{"a": "x\u0000y\u001bz\ud800"}') == ({"a": "xyz"}, [])
