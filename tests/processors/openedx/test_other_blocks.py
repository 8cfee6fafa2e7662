"""Videos, blocks of every other kind, and units."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openedx_ai_extensions.processors.openedx.extraction import block_text, unit_sections
from openedx_ai_extensions.processors.openedx.trimming import fit
from tests.processors.openedx.blocks import block, demo_key

READABLE = [
    pytest.param({"data": "<p>Read <b>me</b> please</p>"}, "Read me please", id="data"),
    pytest.param({"content": "Read me please"}, "Read me please", id="content"),
    pytest.param({"text": "Read me"}, "Read me", id="text"),
    pytest.param({"html_content": "<ul><li>Read me</li></ul>"}, "- Read me", id="a name that ends in content"),
    pytest.param({"body": "Read me"}, "Read me", id="body"),
    pytest.param({"prompt": "Say why."}, "Say why.", id="prompt"),
    pytest.param({"question": "Red or blue?"}, "Red or blue?", id="question"),
    pytest.param({"text": "光合作用需要光"}, "光合作用需要光", id="a script without spaces"),
    pytest.param({"text": "Read me", "body": "Read me"}, "Read me", id="the same text once"),
    pytest.param({"text": "Read <solution>XYZZY</solution> me"}, "Read me", id="without a solution in it"),
    pytest.param({"text": "Read me <hint>XYZZY</hint> <br>"}, "Read me", id="without a hint in damaged markup"),
    pytest.param({"content": "# Read me\n\n- now  \n  - please\n"}, "# Read me\n- now\n  - please", id="Markdown"),
    pytest.param({"text": "Tom and &lt;Jerry&gt;"}, "Tom and <Jerry>", id="entities"),
]
UNREADABLE = [
    pytest.param({"text": "https://x.example/some page here"}, id="an address"),
    pytest.param({"text": "/static/x"}, id="a path"),
    pytest.param({"data": json.dumps({"answer": "some words here"})}, id="JSON"),
    pytest.param({"data": json.dumps([["some words", "here"]])}, id="a JSON list"),
    pytest.param({"text": "block-v1:Org+C+r+type@html+block@x"}, id="a key"),
    pytest.param({"text": "9f86d081884c7d659a2feaa0c55ad015"}, id="a hash"),
    pytest.param(
        {"content": 7, "text": None, "body": ["some words"], "data": {"a": "some words"}}, id="no text at all"
    ),
    pytest.param({"url": "some words here", "weight": "some words here"}, id="a name that means no text"),
    pytest.param({"context": "some words here"}, id="a name that only ends alike"),
    pytest.param({"correct_answer_text": "some words here"}, id="an answer"),
    pytest.param({"solution_html": "some words here"}, id="a solution"),
    pytest.param({"hint_text": "some words here"}, id="a hint"),
    pytest.param({"grader_prompt": "some words here"}, id="a grader's prompt"),
    pytest.param({"api_key_text": "some words here"}, id="a key"),
    pytest.param({"token_data": "some words here"}, id="a token"),
    pytest.param({"client_secret_text": "some words here"}, id="a secret of a client"),
    pytest.param({"password_message": "some words here"}, id="a password"),
    pytest.param({"example_text": "some words here"}, id="an example of an answer"),
    pytest.param({"staff_description": "some words here"}, id="staff's own"),
    pytest.param({"text": "<a><solution>some</a> words here</solution>"}, id="a solution that ends too early"),
    pytest.param(
        {"text": '<!DOCTYPE x [<!ENTITY a "some words">]><hint>&a;</hint>'}, id="a document type around a hint"
    ),
]


@pytest.mark.parametrize(("fields", "text"), READABLE)
def test_readable_fields_of_any_block(fields, text):
    assert block_text(block("acme", "x", "Box", **fields)) == f"Box\n{text}"


@pytest.mark.parametrize("fields", UNREADABLE)
def test_fields_that_are_not_for_reading(fields):
    assert block_text(block("acme", "x", "Box", **fields)) == "Box"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    category=st.sampled_from(["html", "problem", "video", "vertical", "acme"]),
    name=st.text(),
    fields=st.dictionaries(st.sampled_from(["data", "content", "transcript", "text", "markdown", "answer"]), JSON),
)
def test_no_block_breaks_it(category, name, fields):
    assert isinstance(block_text(block(category, "x", name, **fields)), str)


UNIT = block(
    "vertical", "u", "The  unit",
    block("html", "a", "Text", data="<p>A</p>"),
    block("wrapper", "w", "", block("html", "b", data="B"), block("video", "v", "V", transcript="said")),
    block("problem", "p", "P", data="<problem><p>Why?</p></problem>"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("categories", "text"),
    [
        pytest.param(None, "# The unit\n\nA\n\nB\n\nVideo: V\nTranscript: said\n\nProblem: P\nWhy?", id="all"),
        pytest.param({"html"}, "# The unit\n\nA\n\nB", id="html only"),
        pytest.param(
            {"video", "problem"}, "# The unit\n\nVideo: V\nTranscript: said\n\nProblem: P\nWhy?", id="two kinds"
        ),
        pytest.param(set(), "# The unit", id="none"),
        pytest.param({"vertical"}, "# The unit", id="a unit selects nothing"),
    ],
)
def test_a_unit_is_its_title_and_its_blocks_in_reading_order(categories, text):
    assert fit(unit_sections([UNIT], UNIT.usage_key, categories), None) == text


def test_what_is_here_is_marked():
    def marks(location):
        (section,) = unit_sections([UNIT], demo_key(location))
        return section.here, [piece.here for piece in section.pieces]

    assert marks("vertical/u") == (True, [True] * 4)
    assert marks("html/a") == (False, [True, False, False, False])
    assert marks("wrapper/w") == (False, [False, True, True, False])


@pytest.mark.parametrize("bank", ["library_content", "legacy_library_content", "itembank", "split_test"])
def test_a_bank_is_the_blocks_that_this_person_was_given(bank):
    unit = block("vertical", "u", "Unit", block(bank, "b", "A bank", block("html", "h", "", data="Given")))
    assert fit(unit_sections([unit], unit.usage_key), None) == "# Unit\n\nGiven"
    assert fit(unit_sections([unit], unit.usage_key, {bank}), None) == "# Unit\n\nGiven"
