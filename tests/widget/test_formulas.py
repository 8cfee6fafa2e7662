"""Formulas and code in answers: who typesets them, what is copied, what a screen reader gets, what is loaded when."""

from __future__ import annotations

import pytest

from tests.browser import in_a_browser
from tests.widget.answer_site import AnswerSite, serve
from tests.widget.conftest import POLICY, SOURCES

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
SLOT = "one-shot"
EXAMPLE = "Then \\(x^2\\) and **more**.\n\n\\[ \\frac{a}{b} \\]\n\n| A |\n|---|\n| $y$ |\n\nThe end."
CODE = 'Try `x`:\n\n```python\nprint("a")  # one\n```\n\n```\nplain\n```\n'
MODULES = ("widget-formulas.js", "widget-katex.js", "widget-code.js", "widget-quiz.js")
# MathJax writes style attributes and style elements.
LAX = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") + "; font-src 'self' data:"
OLD = '<script src="/node_modules/mathjax-2/MathJax.js?config=TeX-MML-AM_SVG"></script>'
NEW = '<script id="MathJax-script" defer src="/node_modules/mathjax/es5/tex-mml-chtml.js"></script>'
CARD = {"id": "1", "question": "What is $E$?", "answer": "\\(mc^2\\)", "next_review_time": 0, "interval": 1,
        "ease_factor": 2.5, "repetitions": 0}  # fmt: skip
QUESTION = {
    "display_name": "One", "question_html": "<p>Solve \\(x^2 = 4\\), for $5.</p>", "olx": {},
    "problem_type": "multiplechoiceresponse", "explanation": "As $2^2 = 4$.", "demand_hints": ["\\(x > 0\\)"],
    "choices": [{"text": "\\(x = 2\\)", "is_correct": True, "feedback": ""}],
}  # fmt: skip
QUIZ = {"response": {"question_slots": [{"versions": [QUESTION], "selected": 0}], "collection_name": "C"}}

SELECT = """(answer) => {
  const range = document.createRange();
  range.setStart(answer.querySelector("p").firstChild, 0);
  const last = answer.lastElementChild.firstChild;
  range.setEnd(last, last.length);
  const selection = document.getSelection();
  selection.setBaseAndExtent(range.startContainer, 0, range.endContainer, range.endOffset);
}"""


@pytest.fixture
def ask(new_page):
    """Serve a site, open it, and start the answer."""
    open_sites = []

    def open_page(*pieces, options=None, **site):
        served = serve(AnswerSite(answers={SLOT: pieces}, **site))
        found = served.__enter__()
        open_sites.append(served)
        page = new_page(**(options or {}))
        page.goto(found.url)
        page.get_by_role("button", name="Go").click()
        return page, found

    yield open_page
    for served in open_sites:
        served.__exit__(None, None, None)


def loaded(site):
    return [name for name in MODULES if any(path.endswith(name) for path in site.asked)]


def finished(page):
    page.locator(".result-footer").wait_for()
    return page.locator(".answer")


def test_without_formulas_nothing_is_loaded(ask):
    page, site = ask("It costs $5 and $10. Some **text**.")
    expect(finished(page)).to_have_text("It costs $5 and $10. Some text.")
    page.wait_for_load_state("networkidle")
    assert loaded(site) == []


def test_katex_typesets_and_gives_mathml(ask):
    page, site = ask(EXAMPLE)
    answer = finished(page)
    expect(answer.locator(".katex math")).to_have_count(3)
    assert answer.locator("math annotation").all_text_contents() == ["x^2", " \\frac{a}{b} ", "y"]
    assert answer.locator("math > semantics > mrow mfrac").count() == 1
    expect(answer.locator(".katex-html").first).to_have_attribute("aria-hidden", "true")
    expect(answer.locator(".formula.display")).to_have_css("display", "block")
    page.wait_for_load_state("networkidle")
    assert loaded(site) == ["widget-formulas.js", "widget-katex.js"]
    assert page.evaluate("[...document.fonts].filter((each) => each.status === 'loaded').length") >= 2
    # The width of its own fonts: nothing falls back to another.
    assert page.evaluate("document.fonts.check('16px KaTeX_Math')")


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("mathjax-2", id="version 2"),
        pytest.param("mathjax", id="version 3"),
    ],
)
def test_the_mathjax_of_the_page_typesets(ask, folder):
    if not (SOURCES / "node_modules" / folder).is_dir():
        pytest.skip("MathJax is not installed: `make widget` does it")
    head = OLD if folder == "mathjax-2" else NEW
    page, site = ask(
        "Then \\(x^2\\), \\(", "", "y", "\\).\n\n\\begin{align}a&=b\\end{align}\n\nThe end.", head=head, policy=LAX
    )
    host = page.locator("openedx-ai-widget")
    rendered = "svg" if folder == "mathjax-2" else "mjx-container"
    expect(host.locator(f"> [slot] {rendered}").first).to_be_visible()
    first = host.locator("> [slot]").first.element_handle()
    site.go_on.set()
    finished(page)
    expect(host.locator("> [slot]")).to_have_count(3)
    for number in range(3):
        expect(host.locator("> [slot]").nth(number).locator(rendered).first).to_be_visible()
    # What was there already has stayed, and is inside of the answer.
    assert first.evaluate("each => each.isConnected && each.assignedSlot.closest('.answer') !== null")
    expect(page.locator("math")).to_have_count(3)
    assert loaded(site) == ["widget-formulas.js"]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".answer").evaluate(SELECT)
    page.keyboard.press("Control+c")
    copied = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert [line for line in copied if line] == [
        "Then \\(x^2\\), \\(y\\).", "\\begin{align}a&=b\\end{align}", "The end."
    ]  # fmt: skip
    # A new answer leaves none of the old one behind.
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("button", name="Go")).to_be_visible()
    expect(host.locator("> [slot]")).to_have_count(3)


@pytest.mark.parametrize(
    "formula",
    [
        "\\href{javascript:document.title='hit'}{x}",
        "\\url{javascript:alert(1)}",
        "\\htmlData{a=b}{x}",
        "\\htmlStyle{position:fixed}{x}",
        "\\style{position:fixed}{x}",
        "\\includegraphics{https://evil.example/x.png}",
        "\\def\\x{\\hre}\\csname href\\endcsname{javascript:alert(1)}{x}",
        "\\bbox[position:fixed]{x}",
        "\\unicode{x41}\\text{<img src=x onerror=alert(1)>}",
    ],
)
@pytest.mark.parametrize("folder", [None, "mathjax"], ids=["katex", "mathjax"])
def test_a_formula_is_no_way_out(ask, formula, folder):
    if folder and not (SOURCES / "node_modules" / folder).is_dir():
        pytest.skip("MathJax is not installed: `make widget` does it")
    page, site = ask(f"\\({formula}\\) and \\(y\\)", head=NEW if folder else "", policy=LAX if folder else POLICY)
    finished(page)
    expect(page.locator("mjx-container" if folder else ".katex").last).to_be_visible()
    for part in (page.locator("openedx-ai-widget > *"), page.locator(".answer")):
        assert part.locator("a, img, [style*=fixed], [data-a]").count() == 0
    assert [path for path in site.asked if "evil" in path] == []


@pytest.mark.parametrize("opening", ["\\(", "\\[", "$$", "$", "\\begin{align}"])
def test_half_a_formula_is_a_placeholder(ask, opening):
    closing = {"\\(": "\\)", "\\[": "\\]", "\\begin{align}": "\\end{align}"}.get(opening, opening)
    page, site = ask("We have ", opening[:1], opening[1:] + "x^2 + \\frac{a", "", "}{b}", closing + " here.")
    answer = page.locator(".answer")
    expect(answer.locator(".formula.pending")).to_have_text("…")
    expect(answer).to_have_text("We have …")
    site.go_on.set()
    finished(page)
    expect(answer.locator(".formula.pending")).to_have_count(0)
    expect(answer.locator(".katex")).to_have_count(1)


def test_a_formula_without_its_end_is_text(ask):
    page, _site = ask("We have $x and \\(y^2")
    expect(finished(page)).to_have_text("We have $x and (y^2")


def test_a_selection_copies_the_source(ask):
    page, _site = ask(EXAMPLE)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer = finished(page)
    expect(answer.locator(".katex")).to_have_count(3)
    answer.evaluate(SELECT)
    page.keyboard.press("Control+c")
    copied = page.evaluate("navigator.clipboard.readText()")
    lines = [line for line in copied.splitlines() if line.strip()]
    assert lines == ["Then \\(x^2\\) and more.", "\\[ \\frac{a}{b} \\]", "A", "$y$", "The end."]
    # A selection that starts within a formula has the whole of it.
    answer.locator(".formula").first.evaluate(
        "each => document.getSelection().setBaseAndExtent(each.querySelector('.mord'), 0, each.nextSibling, 4)"
    )
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == "\\(x^2\\) and"
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == EXAMPLE


def test_code_has_its_language_colours_and_a_button_to_copy_it(ask):
    page, site = ask(CODE)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer = finished(page)
    buttons = answer.get_by_role("button", name="Copy the code")
    expect(buttons).to_have_count(2)
    assert answer.locator(".code-header").all_inner_texts() == ["Python", ""]
    expect(answer.locator(".hljs-string")).to_have_text('"a"')
    assert answer.locator(".hljs-string").evaluate("e => getComputedStyle(e).color") != answer.evaluate(
        "e => getComputedStyle(e).color"
    )
    buttons.first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == 'print("a")  # one'
    page.wait_for_load_state("networkidle")
    assert loaded(site) == ["widget-code.js"]


def test_code_keeps_its_button_while_more_streams_in(ask):
    page, site = ask("```js\nconst a = 1;\n```\n\nThen", "", " more.")
    button = page.get_by_role("button", name="Copy the code")
    first = button.element_handle()
    site.go_on.set()
    finished(page)
    assert first.evaluate("each => each.isConnected")


@pytest.mark.parametrize("size", [None, {"width": 375, "height": 700}], ids=["wide", "narrow"])
def test_the_chat_shows_formulas_and_stays_at_its_end(new_page, size):
    answer = "\n\n".join(["\\[ \\frac{\\frac{a}{b}}{\\frac{c}{d}} \\]"] * 12) + "\n\nThe end."
    with serve(AnswerSite(answers={"chat": [answer]})) as site:
        page = new_page(**({"viewport": size} if size else {}))
        page.goto(site.url)
        page.get_by_role("button", name="Chat").click()
        expect(page.locator(".assistant .katex")).to_have_count(12)
        expect(page.locator(".message-actions")).to_be_visible()
        page.wait_for_function(
            """() => { const log = document.querySelector("openedx-ai-widget").shadowRoot.querySelector(".log");
            return log.scrollHeight - log.scrollTop - log.clientHeight < 2; }"""
        )


def test_flashcards_and_questions_show_formulas(new_page):
    sessions = {"cards": {"cards": [CARD], "status": "completed"}, "quiz": QUIZ}
    with serve(AnswerSite(sessions=sessions)) as site:
        page = new_page()
        page.goto(site.url)
        expect(page.locator("details > summary")).to_have_count(2)
        for summary in page.locator("details > summary").all():
            summary.click()
        card = page.locator(".flashcard")
        expect(card.locator("math annotation")).to_have_text("E")
        card.click()
        expect(card.locator("math annotation")).to_have_text("mc^2")
        expect(page.get_by_role("status").filter(has_text="mc")).to_have_text("Answer: \\(mc^2\\)")
        page.locator(".question-content summary").click()
        annotations = page.locator(".question-content math annotation")
        assert annotations.all_text_contents() == ["x^2 = 4", "x = 2", "2^2 = 4", "x > 0"]
        expect(page.locator(".question-content p").nth(1)).to_contain_text("for $5.")


@pytest.mark.parametrize(
    ("options", "page"),
    [
        pytest.param({}, {"attributes": 'lang="ar" dir="rtl"'}, id="from right to left"),
        pytest.param({"forced_colors": "active"}, {}, id="forced colours"),
        pytest.param({}, {"head": '<meta name="color-scheme" content="dark">'}, id="dark"),
    ],
)
def test_formulas_and_code_keep_their_direction_and_are_visible(ask, options, page):
    page, _site = ask("\\(a + b\\)\n\n" + CODE, options=options, **page)
    answer = finished(page)
    formula = answer.locator(".formula")
    expect(formula.locator(".katex")).to_be_visible()
    expect(formula).to_have_css("direction", "ltr")
    left = formula.locator(".katex-html .mord").evaluate_all("all => all.map((e) => e.getBoundingClientRect().left)")
    assert left == sorted(left)
    color = "e => getComputedStyle(e).color"
    assert formula.locator(".mord").first.evaluate(color) == answer.evaluate(color)
    expect(answer.locator("pre").first).to_have_css("direction", "ltr")
