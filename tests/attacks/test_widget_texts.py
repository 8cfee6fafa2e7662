"""Texts that a model was made to write, in the browser: none keeps the page busy, and no link hides where it leads."""

from __future__ import annotations

import pytest

from tests.browser import in_a_browser
from tests.widget.conftest import Block, block, new_page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

__all__ = ["block", "new_page"]
pytestmark = in_a_browser
WHOLE = {"processor_config": {"LLMProcessor": {"stream": False}}}
LENGTH = 20_000
MOST_TIMES = 6  # as much as ordinary text of this length needs; what is quadratic needs 7 to 19 times as much


@pytest.fixture
def draw(block: Block, make_scope, provider):
    """Show a text that a model wrote."""
    make_scope(patch=WHOLE)

    def draw(text: str) -> Block:
        provider.reply(text)
        block.open()
        block.button("AI summary").click()
        block.heard(1)
        return block

    return draw


@pytest.mark.parametrize(
    "pattern",
    ["a\n=\n", "- a\n", "1. ", "*a_ ", "[a](", "`a", "a|b\n-|-\n", "> a\nb\n", "# a\n", "```\n", "\n\na\n=\na\n=\n"],
)  # fmt: skip
def test_no_text_keeps_the_page_busy(draw, block, pattern):
    def seconds(pattern: str) -> float:
        """Processor time of the page until the text is drawn."""
        draw("Words. " + pattern * (LENGTH // len(pattern)))
        expect(block.answer).to_contain_text("Words.")
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    session = block.page.context.new_cdp_session(block.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    plain = seconds("Some *plain* words.\n\n")
    assert seconds(pattern) < MOST_TIMES * plain


def test_a_long_answer_keeps_its_form(draw):
    listed = "".join(f"{number}. item {number}\n" for number in range(1, 400))
    code = "".join(f"x = {number}\n\n" for number in range(800))
    paragraphs = "".join(f"Paragraph **{number}**.\n\n" for number in range(300))
    block = draw(
        f"{paragraphs}{listed}\nThis is code:\n```python\n{code}```\nAfter *it*.\n\n- a\n\n  ```\n  b\n\n  c\n  ```\n"
    )
    expect(block.answer.locator("strong")).to_have_count(300)
    expect(block.answer.locator("ol li")).to_have_count(399)
    assert block.answer.locator("ol").last.evaluate("list => list.start + list.children.length") == 400
    codes = block.answer.locator("pre code").evaluate_all("all => all.map(each => each.textContent)")
    assert codes == [code, "b\n\nc\n"]
    expect(block.answer.locator("em")).to_have_text("it")


def test_what_is_too_long_to_be_read_is_shown_as_it_is(draw):
    row = "| <b>a</b> | *b* |\n"
    block = draw("Before.\n\n| a | b |\n|-|-|\n" + row * 300 + "\nAfter *it*.")
    expect(block.answer.locator("table, b")).to_have_count(0)
    expect(block.answer.locator("p.pre-line")).to_contain_text("| <b>a</b> | *b* |")
    expect(block.answer.locator("em")).to_have_text("it")


LINKS = {
    "https://evil.example/a": "https://evil.example/a",
    "[evil.example](https://evil.example/a)": "evil.example",
    "[EVIL.example:443/a?b#c](https://evil.example/)": "EVIL.example:443/a?b#c",
    "[here](https://evil.example/)": "here (evil.example)",
    "[https://good.evil.example](https://evil.example/)": "https://good.evil.example (evil.example)",
    "[evil.example.good.com](https://evil.example/)": "evil.example.good.com (evil.example)",
    "[good.com/evil.example](https://evil.example/)": "good.com/evil.example (evil.example)",
    "https://good.com@evil.example/": "https://good.com@evil.example/ (evil.example)",
    "[https://good.com:1@evil.example/](https://good.com:1@evil.example/)": (
        "https://good.com:1@evil.example/ (evil.example)"
    ),
    "[https://good.com](https://good.com./)": "https://good.com (good.com.)",
    "https://g\u043e\u043ed.com/": "https://g\u043e\u043ed.com/ (xn--gd-fmca.com)",
    "[evil.example/\u202emoc.doog](https://evil.example/)": "evil.example/\u202emoc.doog (evil.example)",
    "[evil.example is good.com](https://evil.example/)": "evil.example is good.com (evil.example)",
    "[help@good.com](mailto:x@evil.example)": "help@good.com (x@evil.example)",
    "[x@good.com](mailto:x@good.com)": "x@good.com",
}


def test_a_link_says_where_it_leads(draw):
    block = draw("\n\n".join(LINKS))
    expect(block.answer.locator("a")).to_have_count(len(LINKS))
    texts = block.answer.locator("a").evaluate_all("all => all.map(each => each.textContent)")
    assert dict(zip(LINKS, texts, strict=True)) == LINKS
