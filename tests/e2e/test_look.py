"""Every form of the widget in every state: nobody is left out, in no theme, and not on a narrow screen."""

from __future__ import annotations

import json

import pytest

from tests.browser import in_a_browser
from tests.e2e.panels import OneShot, widget
from tests.fakes.steps import Wire
from tests.processors.openedx.quiz import question
from tests.providers.shapes import DONE, text, usage

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
ANSWER = (
    "Green **light**, see [more](https://example.org/x).\n\n| Part | Use |\n|-|-|\n| Leaf | `light` |\n\n- one\n- two"
    '\n\n```python\n@cached  # a comment\ndef f(x: int = 1) -> str:\n    return print(f"{x}")\n```\n\n'
    "\\[ f(x) = \\int_0^1 \\frac{\\sqrt{a + b + c + d + e + f + g + h}}{x}\\,dx + \\binom{n}{k} \\]"
)
CUT_OFF = Wire((text(ANSWER, "length"), usage(), DONE))
CARDS = json.dumps({"cards": [{"question": "What is split?", "answer": "Water. " + "W" * 60}]})
QUESTIONS = [question(display_name=name, question_html=f"<p>{name}?</p>") for name in ("One", "Two", "Three")]
QUIZ = json.dumps({"collection_name": "Light", "questions": QUESTIONS})
# Before any script of the page runs, as if the server had written it.
SPEAK = """new MutationObserver((_list, self) => {
  if (!document.documentElement) return;
  self.disconnect();
  Object.assign(document.documentElement, LANGUAGE);
}).observe(document, { childList: true });"""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def typeset(box):
    box.locator(".code-header").wait_for()
    box.locator(".katex").wait_for()


def answered(page, demo, look):
    demo.provider.then(CUT_OFF)
    box = widget(page)
    box.locator("button.primary").click()
    box.locator("[role=note] button").wait_for()
    typeset(box)
    look("answered, and cut off")
    box.locator(".feedback [aria-controls]").last.click()
    box.locator(".feedback textarea").wait_for()
    look("a report of an answer")
    demo.provider.fail(401, times=1)
    ask = widget(page, "unit-ask")
    ask.locator("textarea").fill("Why?")
    ask.locator("button.primary").click()
    ask.locator("[role=alert] button").wait_for()
    look("failed")


def learnt(page, demo, look):
    demo.provider.reply(CARDS)
    cards = widget(page, "unit-flashcards")
    cards.locator("summary").click()
    cards.locator("form:not([hidden]) button.primary").click()
    cards.locator(".flashcard").wait_for()
    look("a card")
    cards.locator(".flashcard").click()
    cards.locator(".grades").wait_for()
    look("its answer")


def reviewed(page, demo, look):
    demo.provider.reply(QUIZ)
    quiz = widget(page, "unit-quiz")
    quiz.locator("summary").first.click()
    quiz.locator("form button.primary").first.click()
    quiz.locator(".question-card").first.wait_for()
    look("questions in review")


def discussed(page, demo, look):
    demo.provider.then(CUT_OFF)
    chat = widget(page, "unit-chat")
    chat.locator("button.open").click()
    chat.locator(".starters button").first.wait_for()
    look("a new chat")
    chat.locator(".starters button").first.click()
    chat.locator("[role=note] button").wait_for()
    typeset(chat)
    look("the chat, and an answer that was cut off")
    chat.locator("header button").first.click()
    chat.locator("dialog.modal").wait_for()
    look("a question before something is lost")


@pytest.mark.parametrize(
    ("options", "language"),
    [
        pytest.param({}, {}, id="light"),
        pytest.param({"color_scheme": "dark"}, {}, id="dark"),
        pytest.param({"viewport": {"width": 320, "height": 640}}, {"lang": "ar", "dir": "rtl"}, id="narrow, in Arabic"),
    ],
)
def test_every_state_is_for_everybody(browser, demo, options, language):
    context = browser.new_context(reduced_motion="reduce", **options)
    context.add_init_script(SPEAK.replace("LANGUAGE", json.dumps(language)))
    page = context.new_page()
    demo.provider.reply(ANSWER)
    box = OneShot(page, demo, "unit-summary", "author")
    looked_at = []

    def look(state):
        found = axe.Axe().run(page, context="openedx-ai-widget", options=RULES).response["violations"]
        assert [(state, each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state
        looked_at.append(state)

    for slot in ("unit-chat", "unit-flashcards", "unit-quiz"):
        box.post("clear_session", slot=slot)
        widget(page, slot).locator(".card").wait_for()
    look("closed")
    for walk in (answered, learnt, reviewed, discussed):
        walk(page, demo, look)
    assert len(looked_at) == 10
    context.close()
