"""Text that the learner selects in the lesson can be asked about."""

from __future__ import annotations

import pytest

from tests.browser import in_a_browser

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
PASSAGE = "You eat; a sunflower does not."
LESSON = f"<p id=lesson>{PASSAGE} Give it light, water and air, and it builds its own food.</p><input id=other>"
SELECT = """([selector, start, end]) => {
  const text = document.querySelector(selector).firstChild;
  document.getSelection().setBaseAndExtent(text, start, text, end);
}"""


@pytest.fixture
def lesson(block, make_scope):
    make_scope(base_filepath="base/chat.json5", model_greets=False)
    block.open(head=LESSON)
    expect(block.button("Ask the tutor")).to_be_visible()
    return block


def select(block, start=0, end=30):
    block.page.evaluate(SELECT, ["#lesson", start, end])


def test_a_selected_passage_is_explained(lesson, provider):
    select(lesson)
    offer = lesson.button("Explain this")
    offer.click()
    expect(lesson.root.locator(".message.user")).to_contain_text(PASSAGE)
    expect(lesson.root.locator(".message.assistant")).to_contain_text("Hello from the model.")
    assert f"“{PASSAGE}”" in provider.requests[-1]["messages"][-1]["content"]
    expect(offer).to_be_hidden()
    assert lesson.page.evaluate("document.getSelection().toString()") == ""
    lesson.open(head=LESSON)
    expect(lesson.root.locator(".message.user")).to_contain_text(PASSAGE)


def test_the_offer_stays_inside_the_window(lesson):
    lesson.page.set_viewport_size({"width": 320, "height": 400})
    select(lesson)
    box = lesson.button("Explain this").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert lesson.page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("end_it", ["collapse", "escape", "scroll"])
def test_it_goes_away(lesson, end_it):
    select(lesson)
    offer = lesson.button("Explain this")
    expect(offer).to_be_visible()
    if end_it == "collapse":
        lesson.page.evaluate("document.getSelection().removeAllRanges()")
    elif end_it == "escape":
        lesson.page.keyboard.press("Escape")
    else:
        lesson.page.evaluate("dispatchEvent(new Event('scroll'))")
    expect(offer).to_be_hidden()


def test_nothing_is_offered_for_a_word_or_a_field_or_what_is_in_the_chat(lesson):
    select(lesson, 0, 3)
    lesson.page.wait_for_timeout(600)
    expect(lesson.button("Explain this")).to_be_hidden()
    lesson.page.locator("#other").fill("Something that I have written")
    lesson.page.locator("#other").select_text()
    lesson.page.wait_for_timeout(600)
    expect(lesson.button("Explain this")).to_be_hidden()


def test_its_code_is_loaded_with_the_first_selection(lesson):
    assert not any("widget-selection" in url for url in lesson.asked)
    select(lesson)
    expect(lesson.button("Explain this")).to_be_visible()
    assert any("widget-selection" in url for url in lesson.asked)


def test_a_passage_that_is_not_in_the_course_is_refused_in_words(block, make_scope, provider):
    make_scope(base_filepath="base/chat.json5", model_greets=False)
    block.open(head="<p id=lesson>This advertisement is not a part of the course.</p>")
    expect(block.button("Ask the tutor")).to_be_visible()
    select(block, 0, 30)
    block.button("Explain this").click()
    error = block.root.get_by_role("note").get_by_text("The selected passage is not part of this page.")
    expect(error).to_be_visible()
    assert provider.requests == []
