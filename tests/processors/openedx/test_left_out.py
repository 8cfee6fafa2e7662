"""What staff can learn about blocks that are read in part or not at all."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.processors.openedx.blocks.omissions import Omission, OmissionReason
from openedx_ai_extensions.processors.openedx.extraction import omissions
from tests.processors.openedx.blocks import block, demo_key


def reasons(*blocks, categories=None):
    return [(entry.category, str(entry.reason)) for entry in omissions(blocks, categories)]


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
    pytest.param(block("html", data='<p style="display:none">Later</p>x'), ["hidden"], id="hidden by its style"),
    pytest.param(block("html", data='<p style="color:red;VISIBILITY : hidden">Later</p>x'), ["hidden"], id="invisible"),
    pytest.param(block("html", data="<p hidden>Later</p>"), ["hidden"], id="all of it hidden"),
    pytest.param(block("html", data='<div class="row d-none">Later</div>x'), ["hidden"], id="hidden by its class"),
    pytest.param(block("html", data='<div aria-hidden="true">Later</div>x'), ["hidden"], id="from screen readers"),
    pytest.param(block("html", data="<div hidden><i></i> <b><u>Later</u></b></div>x"), ["hidden"], id="words inside"),
    pytest.param(block("html", data='<i class="icon" aria-hidden="true">&#9733; </i>x'), [], id="a hidden sign"),
    pytest.param(block("html", data='<i class="material-icons" aria-hidden="true">home</i>x'), [], id="a hidden icon"),
    pytest.param(block("html", data="<p hidden><script>var a</script><br/></p>x"), [], id="nothing to read in it"),
    pytest.param(block("html", data='<span class="MathJax_Preview">x</span>x'), [], id="what MathJax drew"),
    pytest.param(block("html", data='<ul role="navigation"><li>Next</li></ul>x'), [], id="a way to elsewhere"),
    pytest.param(
        block("problem", data='<problem><p>x</p><p hidden="">Hm</p></problem>', answers_visible=True),
        ["hidden"],
        id="in a problem",
    ),
    pytest.param(
        block("acme", "x", "Box", text="<p>Read this</p><p hidden>Not this</p>"), ["hidden"], id="in any block"
    ),
    pytest.param(
        block("annotatable", data="<annotatable><p>x</p><p hidden=''>Not this</p></annotatable>"),
        ["hidden"],
        id="in annotated text",
    ),
    pytest.param(
        block("poll", question="Which?", answers='[["a", {"label": "<b hidden>Red</b>x"}]]'),
        ["hidden"],
        id="in a choice of a poll",
    ),
]


@pytest.mark.parametrize(("given", "expected"), ROWS)
def test_reasons(given, expected):
    assert [reason for _, reason in reasons(given)] == expected


def test_each_block_is_named_in_reading_order():
    unit = block(
        "vertical", "u", "", block("problem", "p", data="<problem>x</problem>"), block("html", "h"), block("acme", "a")
    )
    assert omissions([unit]) == [
        Omission(demo_key("problem/p"), "problem", OmissionReason.ANSWERS),
        Omission(demo_key("html/h"), "html", OmissionReason.EMPTY),
        Omission(demo_key("acme/a"), "acme", OmissionReason.UNKNOWN),
    ]
    assert reasons(unit, categories={"html"}) == [
        ("problem", "not_selected"), ("html", "empty"), ("acme", "not_selected"),
    ]  # fmt: skip


def test_reasons_have_words_for_people():
    assert all(str(reason.label).endswith(".") for reason in OmissionReason)
