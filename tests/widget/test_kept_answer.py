"""The last answer of a one-shot workflow comes back with the page, without being asked and paid again."""

from __future__ import annotations

import pytest

from openedx_ai_extensions.models import AIWorkflowSession
from tests.browser import in_a_browser
from tests.fakes.steps import Wire
from tests.providers.shapes import DONE, chunk, text, usage

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
CUT_OFF = Wire((text("The first half, "), chunk(finish="length"), usage(), DONE))


@pytest.fixture
def summary(block, make_scope, provider):
    """A page on which the person got a summary."""
    make_scope()
    provider.reply("About **leaves**.")
    block.open()
    block.button("AI summary").click()
    expect(block.answer).to_have_text("About leaves.")
    expect(block.button("AI summary")).to_be_visible()  # the answer has ended
    expect(block.root.get_by_text("Answered:")).to_be_hidden()
    return block


def test_it_comes_back_with_the_page(summary, provider):
    asked = len(provider.requests)
    summary.open()
    expect(summary.answer).to_have_text("About leaves.")
    expect(summary.answer.locator("strong")).to_have_text("leaves")
    expect(summary.root.get_by_text("Answered:")).to_be_visible()
    assert len(provider.requests) == asked
    provider.reply("About roots.")
    summary.button("Ask again").press("Enter")
    expect(summary.answer).to_have_text("About roots.")
    expect(summary.button("Ask again")).to_be_hidden()
    expect(summary.button("AI summary")).to_be_focused()
    assert len(provider.requests) == asked + 1


def test_a_browser_that_got_no_answer_here_asks_for_none(summary):
    summary.page.evaluate("localStorage.clear()")
    requests = len(summary.asked)
    summary.open()
    expect(summary.button("AI summary")).to_be_visible()
    expect(summary.answer).to_be_hidden()
    assert not [url for url in summary.asked[requests:] if "/workflows/" in url]


def test_an_answer_that_was_deleted_is_forgotten(summary):
    AIWorkflowSession.objects.all().delete()
    summary.open()
    summary.page.wait_for_function("() => localStorage.length === 0")
    expect(summary.answer).to_be_hidden()


def test_a_question_comes_back_with_its_answer(block, make_scope, provider):
    make_scope(base_filepath="base/ask.json5")
    provider.then(CUT_OFF)
    block.open()
    box = block.root.get_by_role("textbox")
    box.fill("Why leaves?")
    box.press("Enter")
    expect(block.button("Continue")).to_be_visible()
    block.open()
    expect(box).to_have_value("Why leaves?")
    expect(block.answer).to_have_text("The first half,")
    provider.reply("the second.")
    block.button("Continue").click()
    expect(block.answer).to_have_text("The first half, the second.")
    expect(block.button("Ask")).to_be_visible()
    block.open()
    expect(block.answer).to_have_text("The first half, the second.")
    expect(block.button("Continue")).to_be_hidden()


def test_a_profile_that_keeps_nothing_forgets_it(block, make_scope, provider):
    forgets = {"actuator_config": {"UIComponents": {"response": {"config": {"keepAnswer": None}}}}}
    make_scope(patch=forgets)
    provider.reply("About leaves.")
    block.open()
    block.button("AI summary").click()
    expect(block.answer).to_have_text("About leaves.")
    expect(block.button("AI summary")).to_be_visible()
    block.open()
    expect(block.button("AI summary")).to_be_visible()
    expect(block.answer).to_be_hidden()
