"""A learner reports an answer, the course's author replies, and the learner reads the reply."""

from __future__ import annotations

import pytest

from tests.browser import in_a_browser
from tests.conftest import COURSE_ID
from tests.e2e.panels import OneShot

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser


def test_from_the_learner_to_the_author_and_back(browser, demo):
    pages = {person: browser.new_context().new_page() for person in ("learner", "author")}
    demo.provider.reply("Leaves are blue.")
    box = OneShot(pages["learner"], demo, "unit-summary")
    box.root.locator("button.primary").click()
    box.button("Report this answer").click()
    box.root.get_by_label("Reason").select_option(label="It is wrong")
    box.root.get_by_label("In your own words (optional)").fill("They are green.")
    box.root.locator("form").last.get_by_role("button", name="Report this answer").click()
    expect(box.root.get_by_text("The answer is reported. Thank you.")).to_be_visible()

    OneShot(pages["author"], demo, "unit-summary", "author")
    page = pages["author"]
    page.goto(f"{demo.url}/openedx-ai-extensions/course/{COURSE_ID}/feedback/")
    expect(page.get_by_text("They are green.")).to_be_visible()
    expect(page.get_by_text("Leaves are blue.")).to_be_hidden()
    page.get_by_role("link", name="Read and reply").click()
    page.get_by_label("Note to the learner").fill("You are right. It is corrected.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("There is no feedback in this state.")).to_be_visible()

    pages["learner"].reload()
    note = box.root.get_by_role("region", name="A reply to your feedback")
    expect(note).to_contain_text("You are right. It is corrected.")
    note.get_by_role("button", name="Close").click()
    expect(note).to_be_hidden()
    for page in pages.values():
        page.context.close()
