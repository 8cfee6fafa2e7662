"""HTML blocks to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openedx_ai_extensions.processors.openedx.extraction import block_text
from tests.processors.openedx.blocks import block

ROWS = [
    pytest.param("<p>One</p>\n\n  <p>two\n  three</p>", "One\ntwo three", id="paragraphs are lines"),
    pytest.param("a<br>b<br/>c", "a\nb\nc", id="breaks are lines"),
    pytest.param("<h1>Big</h1><h4>Small</h4>text", "## Big\n### Small\ntext", id="headings keep their rank"),
    pytest.param("<h2></h2><p>text</p>", "text", id="an empty heading leaves no mark"),
    pytest.param("<b>bo</b>ld <em>em</em>", "bold em", id="emphasis is dropped"),
    pytest.param("<ul><li>a</li><li><p>b</p></li></ul>c", "- a\n- b\nc", id="lists"),
    pytest.param(
        "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n  - b\n2. c", id="nested and numbered lists"
    ),
    pytest.param("<li>a</li>", "- a", id="a list item without a list"),
    pytest.param("<dl><dt> T </dt><dd>one</dd><dd>two</dd></dl>", "T: one\ntwo", id="definitions"),
    pytest.param(
        "<table><caption>C</caption><tr><th>a</th><th>b</th></tr><tr><td><p>1</p><p>2</p></td><td></td></tr></table>",
        "C\na | b\n1 2 |",
        id="tables are rows",
    ),
    pytest.param(
        "<table><tr><td>a <table><tr><td>b</td><td>c</td></tr></table></td>"
        "<td><ul><li>d</li><li>e</li></ul></td></tr></table>",
        "a b | c | d e",
        id="tables and lists in cells",
    ),
    pytest.param("<table><tr><td> </td></tr></table>x", "x", id="empty rows are dropped"),
    pytest.param('<img src="x.png" alt="A  cat"/>', "[Image: A cat]", id="images by their text"),
    pytest.param('a<img src="x.png" alt=""/>b<img src="y.png">', "a b", id="decoration is dropped"),
    pytest.param('<a href="https://x.example/long">here</a>', "here", id="links by their text"),
    pytest.param("<pre>  if a:\n    b()\n</pre>", "```\n  if a:\n    b()\n```", id="preformatted text keeps its lines"),
    pytest.param(
        "<pre><code>a<br>b</code></pre>", "```\na\nb\n```", id="code in preformatted text has no second marks"
    ),
    pytest.param("Call <code>f(x)</code>.", "Call `f(x)`.", id="inline code"),
    pytest.param("x<sup>2</sup>, 10<sup>th</sup>, CO<sub>2</sub>", "x^2, 10th, CO2", id="exponents only"),
    pytest.param(r"\( x^2 \) and \[ y \] and $$z$$", r"\( x^2 \) and \[ y \] and $$z$$", id="TeX stays as it is"),
    pytest.param(
        "[mathjaxinline]a &lt; b[/mathjaxinline]", "[mathjaxinline]a < b[/mathjaxinline]", id="Studio's own marks stay"
    ),
    pytest.param('a<script type="math/tex; mode=display">x</script>!', r"a \(x\) !", id="TeX in a script"),
    pytest.param(
        '<math><semantics><mi>x</mi><annotation encoding="application/x-tex">x_1</annotation></semantics></math>',
        r"\(x_1\)",
        id="MathML with TeX",
    ),
    pytest.param('<math alttext="y"><mi>?</mi></math>', r"\(y\)", id="MathML with a text"),
    pytest.param("<math><mi>a</mi><mo>+</mo><mi>b</mi></math>", "a+b", id="plain MathML"),
    pytest.param("a<script>evil()</script><style>p{}</style><!-- note -->b", "ab", id="scripts, styles and comments"),
    pytest.param(
        '<p hidden>a</p><p style="color:red; Display : none">b</p><p class="x d-none">c</p>d', "d", id="hidden"
    ),
    pytest.param('<i aria-hidden="true">*</i>d', "d", id="hidden from screen readers"),
    pytest.param("<div hidden>a<p>b</p></div>c", "c", id="text after something hidden stays"),
    pytest.param(
        "<iframe>x</iframe><select><option>o</option></select><button>b</button>y", "y", id="controls and frames"
    ),
    pytest.param("<q>Yes</q>", "\u201cYes\u201d", id="quotes"),
    pytest.param("a&nbsp;&nbsp;b\u200b\u00adc\u2060\ufeff", "a bc", id="invisible characters"),
    pytest.param("<p>a &lt;b&gt; &amp; c</p>", "a <b> & c", id="entities"),
    pytest.param("Un été à Пекин 北京 🌱", "Un été à Пекин 北京 🌱", id="any script"),
    pytest.param("plain < text & more", "plain < text & more", id="no markup at all"),
    pytest.param("<p>a<b>b<p>c</b></div>d", "ab\ncd", id="broken markup"),
    pytest.param("<!DOCTYPE html><html><head><title>T</title></head><body>x</body></html>", "x", id="a whole page"),
    pytest.param("", "", id="nothing"),
    pytest.param(" \n <!-- x --> ", "", id="nothing to read"),
]


@pytest.mark.parametrize(("markup", "text"), ROWS)
def test_html_reads_as(markup, text):
    assert block_text(block("html", data=markup)) == text


@pytest.mark.parametrize("data", [None, 7, ["<p>x</p>"], {"a": 1}])
def test_odd_data_says_nothing(data):
    assert block_text(block("html", data=data)) == ""


def test_nesting_without_end_is_survived():
    text = block_text(block("html", data="start" + "<div>" * 50_000 + "deep"))
    assert text.startswith("start")


SCRAPS = """
    <p> </p> <ul> </ul> <ol> <li> </li> <table> <tr> <td> </td> </tr> </table> <pre> </pre> <code> </code> <dl> <dt>
    <dd> </dl> <sup> </sup> <h3> </h3> <br/> <q> <math> </math> <div/hidden> </div> <img/alt='a'> <svg> & &nbsp; &#0;
    <!-- --> ]]> <![CDATA[
"""
MARKUP = st.lists(st.one_of(st.sampled_from(SCRAPS.split()), st.text(max_size=8)), max_size=30).map("".join)


@given(MARKUP)
def test_no_markup_breaks_it(markup):
    text = block_text(block("html", data=markup))
    assert text == text.strip("\n")
    assert "\n\n" not in text or "```" in text


@given(st.lists(st.text("abcdefg", min_size=1), min_size=1, max_size=5))
def test_every_word_that_is_shown_is_told_once_and_in_order(words):
    markup = "".join(f"<div><p>{word}</p><ul><li hidden>{word}</li></ul></div>" for word in words)
    assert block_text(block("html", data=markup)).split("\n") == words
