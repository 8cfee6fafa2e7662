"""No text that a stranger writes keeps a process busy for long: regular expressions let no other thread run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from xml.sax.saxutils import quoteattr

import pytest
from django.core.exceptions import ValidationError

from openedx_ai_extensions.console.transfer import reading
from openedx_ai_extensions.console.transfer.entries import Format
from openedx_ai_extensions.core.json5 import Unreadable, read
from openedx_ai_extensions.core.redaction import masked_text, may_hold_credential, mentions_credential
from openedx_ai_extensions.edxapp.safe_parsing import BrokenXML, parse_xml, transcript_text
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.processors.formulas import find_spans
from openedx_ai_extensions.processors.llm.conversation.json_reply import UnreadableReply, parse_json
from openedx_ai_extensions.processors.llm.conversation.messages import fenced
from openedx_ai_extensions.processors.llm.provider.answer_reader import AnswerText
from openedx_ai_extensions.processors.openedx import extraction, safe_html
from openedx_ai_extensions.processors.openedx.blocks import capa, markup
from openedx_ai_extensions.processors.openedx.questions import question_problems

# What takes quadratic time takes minutes; what takes linear time takes a second on a busy machine.
ENOUGH = 15
REFUSALS = (AIExtensionsError, BrokenXML, Unreadable, UnreadableReply, ValidationError)


def seconds(read_text: Callable[[str], object], text: str) -> float:
    """Of this thread's own work; what another process takes does not count."""
    start = time.thread_time()
    with suppress(REFUSALS):
        read_text(text)
    return time.thread_time() - start


def options(text: str) -> str:
    olx = f"<problem><optionresponse><optioninput options={quoteattr(text)} correct='a'/></optionresponse></problem>"
    return capa.problem_text(olx, answers_visible=False)


def number(text: str) -> list[str]:
    question = {"question_html": "Q", "display_name": "Q", "problem_type": "numericalresponse"}
    return list(question_problems({**question, "answer_value": text, "tolerance": text}))


def lost_tags(text: str) -> str:
    return capa.without_lost_tags(text, bool, is_well_formed=False)


def masked(text: str) -> str:
    return masked_text(text, frozenset())


def upload(text: str) -> object:
    return reading.read(text.encode(), Format.YAML)


WORST = {
    "line breaks behind a code fence": (parse_json, "```" + "\n" * 200_000),
    "spaced line breaks behind a code fence": (parse_json, "```json" + " \n" * 200_000),
    "escaped quotes of options": (options, '\\"' * 140_000),
    "dots of an address": (masked, "a." * 250_000),
    "beginnings of JSON web tokens": (masked, "-eyJ" * 250_000),
    "beginnings of lost answers": (
        lambda text: capa.without_lost_tags(text, bool, is_well_formed=False),
        "answer" * 100_000,
    ),
    "a number to the base of 60": (upload, "a: " + ":".join(["59"] * 1_000_000)),
    "a number to the base of 60, by its tag": (upload, "a: !!int '" + ":".join(["59"] * 1_000_000) + "'"),
    "a fraction to the base of 60": (upload, "a: " + ":".join(["59"] * 1_000_000) + ".5"),
    "a fraction": (number, "1/" + "1" * 250_000 + "x"),
}


@pytest.mark.parametrize(("read_text", "text"), WORST.values(), ids=WORST)
def test_the_worst_texts_take_no_time(read_text, text):
    assert seconds(read_text, text) < ENOUGH


READERS: dict[str, Callable[[str], object]] = {
    "reply with JSON": parse_json,
    "reply with a string": lambda text: parse_json('{"a": "' + text.replace('"', "'") + '"}'),
    "answer": lambda text: AnswerText().feed(text),
    "marked text": fenced,
    "formulas": lambda text: list(find_spans(text)),
    "question": safe_html.clean_html,
    "plain words": safe_html.unmarked,
    "number": number,
    "HTML block": markup.html_text,
    "problem": lambda text: capa.problem_text(f"<problem>{text}</problem>", answers_visible=False),
    "options": options,
    "unknown block": lambda text: extraction.readable_text({"text": text}),
    "subtitles": lambda text: transcript_text("a.srt", f"1\n00:00:01,000 --> 00:00:02,000\n{text}".encode()),
    "XML": lambda text: parse_xml(text.encode()),
    "JSON5": read,
    "YAML": lambda text: upload(f"a: {text}"),
    "masked text": masked,
    "comment": mentions_credential,
    "unreadable text": may_hold_credential,
}
PIECES = [
    "a", "a.", "a-", "1", "1.", " ", "\n", " \n", "<", "<a", "<a ", "</", "<!--", "<?", "<b>", "&", "&#", "&amp;", '"',
    '\\"', "'", "\\'", "`", "```\n", "{", "[", '{"', '{"a":', "//", "/*", "a=", "$", "\\(", "\\begin{a}", "-", "_",
    "key=", "Bearer ", "://", "a://", "a:", "(", "#", "\\a", "\\\\", "\\ne ", "0x", "\u200b", "é", "[THINK]", "<think>",
    "-eyJ", "1:00:00", "answer", "a b ", "{\\", "=\"",
]  # fmt: skip
BEFORE = ["", '"']


@pytest.mark.parametrize("read_text", READERS.values(), ids=READERS)
def test_no_text_takes_long(read_text):
    size = 100_000
    took = {
        (before, piece): seconds(read_text, before + piece * (size // len(piece)) + "!")
        for before in BEFORE
        for piece in PIECES
    }
    assert max(took.values()) < ENOUGH, max(took, key=lambda text: took[text])


LONG_WORD = "w" * 100


def _in_tables(inner: str, levels: int) -> str:
    for _level in range(levels):
        inner = f"<table><tr><td rowspan=20>{inner}</td></tr>{'<tr><td>b' * 19}</table>"
    return inner


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(_in_tables("w " * 500, 3), id="tables in tables"),
        pytest.param("<table>" + "<tr><td colspan=99>w" * 1000 + "</table>", id="wide cells"),
        pytest.param(
            "<table><tr>" + f"<td rowspan=99>{'w' * 100}" * 99 + "<tr><td>b" * 98 + "</table>", id="tall cells"
        ),
        pytest.param("<ul>" * 100 + "<li>w" * 500, id="lists in lists"),
    ],
)
def test_text_grows_little_beyond_its_markup(source):
    assert len(markup.html_text(source)) < 3 * len(source) + 25_000


def test_a_cell_that_spans_rows_is_still_told_in_each():
    text = markup.html_text("<table><tr><td rowspan=3>a<td>1<tr><td>2<tr><td>3</table>")
    assert text.splitlines() == ["a | 1", "a | 2", "a | 3"]
