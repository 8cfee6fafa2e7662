"""What staff can learn about blocks that are read in part or not at all."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.processors.openedx.blocks.left_out import LeftOut, Reason
from openedx_ai_extensions.processors.openedx.extraction import left_out
from tests.processors.openedx.blocks import block, demo_key


def reasons(*blocks, categories=None):
    return [(entry.category, str(entry.reason)) for entry in left_out(blocks, categories)]


ROWS = [
    pytest.param(block("html", data="<p>x</p>"), [], id="all of it is told"),
    pytest.param(block("html", data=""), ["empty"], id="nothing in it"),
    pytest.param(block("video", "x", "Leaf", transcript="One."), [], id="a video"),
    pytest.param(block("problem", data="<problem><p>x</p></problem>"), ["answers"], id="closed answers"),
    pytest.param(block("problem", data="<problem><p>x</p></problem>", answers_visible=True), [], id="open answers"),
    pytest.param(block("problem", data="<problem><p>x"), ["answers", "broken"], id="a damaged problem"),
    pytest.param(block("drag-and-drop-v2", data="{"), ["broken"], id="damaged JSON"),
    pytest.param(block("acme", "x", "Box", spam=1), ["unknown"], id="an unknown block"),
    pytest.param(block("acme", "x", "Box", text="Read me"), [], id="an unknown block that says something"),
    pytest.param(block("pb-data-export"), ["staff"], id="a tool for staff"),
    pytest.param(block("html", data="word " * 100_000), ["too_long"], id="too long"),
    pytest.param(block("html", data="<div>" * 1000 + "x"), ["too_long"], id="nested too deep"),
    pytest.param(block("vertical"), [], id="what only arranges"),
]


@pytest.mark.parametrize(("given", "expected"), ROWS)
def test_reasons(given, expected):
    assert [reason for _, reason in reasons(given)] == expected


def test_each_block_is_named_in_reading_order():
    unit = block(
        "vertical", "u", "", block("problem", "p", data="<problem>x</problem>"), block("html", "h"), block("acme", "a")
    )
    assert left_out([unit]) == [
        LeftOut(demo_key("problem/p"), "problem", Reason.ANSWERS),
        LeftOut(demo_key("html/h"), "html", Reason.EMPTY),
        LeftOut(demo_key("acme/a"), "acme", Reason.UNKNOWN),
    ]
    assert reasons(unit, categories={"html"}) == [
        ("problem", "not_selected"), ("html", "empty"), ("acme", "not_selected"),
    ]  # fmt: skip


def test_reasons_have_words_for_people():
    assert all(str(reason.label).endswith(".") for reason in Reason)
