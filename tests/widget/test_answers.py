"""Answers full of formulas, code and tables, in many scripts: shown as they were meant, however they stream in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import in_a_browser
from tests.waiting import PATIENCE
from tests.widget.answer_site import AnswerSite, cut, read_answers, serve

pytestmark = in_a_browser
HERE = Path(__file__).parent
ANSWERS = read_answers(HERE / "answers.md")
READ = (HERE / "reading.js").read_text(encoding="utf-8")
# What is outside of formulas and code, at each moment of the streaming.
WATCH = r"""
window.shown = {};
window.watchAnswer = (slot, answer) => {
  const note = () => {
    const prose = answer.cloneNode(true);
    for (const each of prose.querySelectorAll(".formula, .code, code")) each.remove();
    (shown[slot] ??= new Set()).add(prose.textContent);
  };
  new MutationObserver(note).observe(answer, { childList: true, subtree: true, characterData: true });
};
"""
START = """() => { for (const widget of document.querySelectorAll("openedx-ai-widget")) {
  watchAnswer(widget.getAttribute("ui-slot-selector-id"), widget.shadowRoot.querySelector(".answer"));
  widget.shadowRoot.querySelector("button.primary").click();
} }"""
ALL = "(selector) => [...document.querySelectorAll('openedx-ai-widget')].every((each) => each.shadowRoot.querySelector(selector))"  # noqa: E501
TYPESET = """() => [...document.querySelectorAll("openedx-ai-widget")].every((widget) =>
  [...widget.shadowRoot.querySelectorAll(".formula")].every((each) => each.querySelector(".katex")
    || each.textContent.includes("unknown")))"""
HALF_FORMULA = ("\\(", "\\[", "\\begin", "\\frac", "$$")


def test_there_are_many():
    assert len(ANSWERS) >= 60
    assert len({answer for answer, _shown in ANSWERS}) == len(ANSWERS)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_shown_is_what_was_meant(new_page, seed):
    answers = {f"one-shot {number}": cut(answer, seed + number) for number, (answer, _shown) in enumerate(ANSWERS)}
    with serve(AnswerSite(answers=answers)) as site:
        page = new_page()
        page.add_init_script(WATCH)
        page.goto(site.url)
        page.wait_for_function(ALL, arg="button.primary")
        page.evaluate(START)
        page.wait_for_function(ALL, arg=".result-footer:not([hidden])", timeout=4 * PATIENCE * 1000)
        page.wait_for_function(TYPESET)
        shown = page.evaluate(
            f"""() => [...document.querySelectorAll("openedx-ai-widget")].map((each) =>
              ({READ})(each.shadowRoot.querySelector(".answer")))"""
        )
        moments = page.evaluate("Object.fromEntries(Object.entries(shown).map(([slot, all]) => [slot, [...all]]))")
    expected = [meant for _answer, meant in ANSWERS]
    assert [pair for pair in zip(shown, expected, strict=True) if pair[0] != pair[1]] == []
    for number, (_answer, meant) in enumerate(ANSWERS):
        seen = moments[f"one-shot {number}"]
        garbage = [text for text in seen for half in HALF_FORMULA if half in text and half not in meant]
        assert garbage == [], number
