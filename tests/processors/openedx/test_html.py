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
        "[mathjaxinline]a &lt; b[/mathjaxinline] [mathjax]c[/mathjax]",
        r"\(a < b\) \[c\]",
        id="Studio's marks get short",
    ),
    pytest.param('a<script type="math/tex; mode=display">x</script>!', r"a \(x\) !", id="TeX in a script"),
    pytest.param(
        '<math><semantics><mi>x</mi><annotation encoding="application/x-tex">x_1</annotation></semantics></math>',
        r"\(x_1\)",
        id="MathML with TeX",
    ),
    pytest.param('<math alttext="y"><mi>?</mi></math>', r"\(y\)", id="MathML with a text"),
    pytest.param("<math><mi>a</mi><mo>+</mo><mi>b</mi></math>", r"\(a+b\)", id="plain MathML"),
    pytest.param("a<script>evil()</script><style>p{}</style><!-- note -->b", "ab", id="scripts, styles and comments"),
    pytest.param(
        '<p hidden>a</p><p style="color:red; Display : none">b</p><p class="x d-none">c</p>d', "d", id="hidden"
    ),
    pytest.param('<i aria-hidden="true">*</i>d', "d", id="hidden from screen readers"),
    pytest.param('<i class="material-icons">menu_book</i>Read', "Read", id="an icon named by its text"),
    pytest.param(
        'See <span class="x material-symbols-outlined" style="color:red"> live_tv\n</span>below',
        "See below",
        id="another",
    ),
    pytest.param('<i class="material-icons">&#xe88a;</i>Home', "Home", id="an icon named by its code"),
    pytest.param('<i class="fa fa-home"></i><i class="fas">&#xf015;</i>Home', "Home", id="icons of other fonts"),
    pytest.param("a\ue001b \U000f0012c \U0001f331", "a b c \U0001f331", id="characters that only a font knows"),
    pytest.param(
        '<p class="material-icons-list">Icons of the course: menu_book</p>',
        "Icons of the course: menu_book",
        id="words beside an icon's class",
    ),
    pytest.param(
        '<i class="material-icons" aria-label="Warning">warning</i>Hot', "[Image: Warning] Hot", id="an icon's label"
    ),
    pytest.param(
        "<table><tr><td>Read</td><td><i class='material-icons'>check</i></td>"
        "<td><i class='material-symbols-rounded'>close</i></td></tr></table>",
        "Read | \u2713 | \u2717",
        id="yes and no in a table",
    ),
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
    pytest.param(
        "<table><tr><th rowspan='2'>a</th><td colspan='2'>b</td><td>c</td></tr><tr><td>d</td><td>e</td><td>f</td></tr>"
        "</table>",
        "a | b | | c\na | d | e | f",
        id="cells that span rows and columns",
    ),
    pytest.param(
        "<table><tr><td colspan='9999999999999999' rowspan='-1'>a</td></tr><tr><td rowspan='x'>b</td></tr></table>",
        "a" + " |" * 99 + "\nb",
        id="spans that make no sense",
    ),
    pytest.param(
        "<table role='presentation'><tr><td><p>a</p><ul><li>b</li></ul></td><td>c</td></tr></table>",
        "a\n- b\nc",
        id="tables that only arrange are no tables",
    ),
    pytest.param("<tr><td>a</td><td>b</td></tr>", "a | b", id="rows without a table"),
    pytest.param('<ol start="3"><li>a</li><li>b</li></ol>', "3. a\n4. b", id="numbers begin where they should"),
    pytest.param('<ol type="a"><li>x</li><li>y</li></ol>', "a. x\nb. y", id="letters"),
    pytest.param('<ol type="A" start="26"><li>x</li><li>y</li></ol>', "Z. x\n27. y", id="more than the alphabet has"),
    pytest.param("e<sup>x</sup> x<sup>a+b</sup> x<sup>2</sup>", "e^x x^(a+b) x^2", id="raised"),
    pytest.param("a<sub>n</sub> a<sub>n+1</sub> H<sub>2</sub>O", "a_n a_(n+1) H2O", id="lowered"),
    pytest.param(
        "10<sup>th</sup> 1<sup>er</sup> OLX<sup>TM</sup> word<sup> (a note)</sup>",
        "10th 1er OLXTM word(a note)",
        id="endings and notes are not raised",
    ),
    pytest.param("<s>old</s> <del>gone</del>", "~~old~~ ~~gone~~", id="struck out"),
    pytest.param(
        "<math><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><msqrt><mi>b</mi></msqrt></mfrac></math>",
        r"\(\frac{a+1}{\sqrt{b}}\)",
        id="MathML of a fraction",
    ),
    pytest.param(
        "<math><msubsup><mi>x</mi><mi>i</mi><mn>10</mn></msubsup><mo>\u2212</mo><msup><mrow><mi>a</mi><mi>b</mi></mrow>"
        "<mn>2</mn></msup><mover><mi>v</mi><mo>\u2192</mo></mover><mroot><mi>y</mi><mn>3</mn></mroot></math>",
        r"\(x_i^{10}-{ab}^2\vec{v}\sqrt[3]{y}\)",
        id="MathML of scripts and roots",
    ),
    pytest.param(
        "<math><mfenced open='['><mi>a</mi><mi>b</mi></mfenced><mtable><mtr><mtd><mi>c</mi></mtd><mtd><mi>d</mi></mtd>"
        "</mtr><mtr><mtd><mi>e</mi></mtd><mtd><mi>f</mi></mtd></mtr></mtable><mtext>if so</mtext></math>",
        r"\([a,b)\begin{matrix}c & d \\ e & f\end{matrix}\text{if so}\)",
        id="MathML of fences and tables",
    ),
    pytest.param("<math><mfrac><mi>a</mi></mfrac><msup><mi>b</mi></msup></math>", r"\(ab\)", id="broken MathML"),
    pytest.param("<math></math>x", "x", id="empty MathML"),
    pytest.param(
        '<span class="MathJax_Preview">p</span><span class="MathJax"><nobr>x2</nobr></span>'
        '<script type="math/tex">x^2</script>',
        r"\(x^2\)",
        id="a formula that MathJax has drawn is told once",
    ),
    pytest.param("<svg><title>A leaf</title><text>40px</text></svg>", "[Image: A leaf]", id="drawings by their title"),
    pytest.param('<i role="img" aria-label="Warning"></i> Hot', "[Image: Warning] Hot", id="signs by their label"),
    pytest.param('<img alt="leaf_final(2).PNG"/>x', "x", id="a file's name is no text"),
    pytest.param("<nav><a>Home</a></nav><ul role='navigation'><li>Next</li></ul>x", "x", id="navigation"),
    pytest.param("<div><div><span> </span></div><p>&nbsp;</p></div>x", "x", id="empty wrappers"),
    pytest.param("<pre>a  \n\tb\u200b\n\n</pre>", "```\na\n\tb\n```", id="code without invisible ends"),
    pytest.param("a\x00b<scr\x00ipt>evil()</script>c\ud800", "abc", id="what no parser takes"),
    pytest.param("<p>&#8217;&rarr;&hellip;&frac12;</p>", "\u2019\u2192\u2026\u00bd", id="entities of all kinds"),
    pytest.param("", "", id="nothing"),
    pytest.param(" \n <!-- x --> ", "", id="nothing to read"),
]


@pytest.mark.parametrize(("markup", "text"), ROWS)
def test_html_reads_as(markup, text):
    assert block_text(block("html", data=markup)) == text


@pytest.mark.parametrize("data", [None, 7, ["<p>x</p>"], {"a": 1}])
def test_odd_data_says_nothing(data):
    assert block_text(block("html", data=data)) == ""


def test_what_word_processors_never_closed_is_read_to_its_end():
    markup = "".join(f"<font><p>Line {n}</p><script>no</script>" for n in range(400))
    assert block_text(block("html", data=markup)) == "\n".join(f"Line {n}" for n in range(400))


def test_what_is_nested_too_deep_and_hides_something_is_not_laid_open():
    text = block_text(block("html", data="start" + "<div>" * 300 + '<p style="display: none">XYZZY</p>'))
    assert text == "start"


def test_a_picture_in_the_text_itself_does_not_crowd_the_text_out():
    data = f'<p>before</p><img src="data:image/png;base64,{"A" * 5_000_000}" alt="A leaf"/><p>after</p>'
    assert block_text(block("html", data=data)) == "before\n[Image: A leaf]\nafter"


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
