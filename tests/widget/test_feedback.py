"""A person rates and reports answers in the widget, and reads what the staff reply."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openedx_ai_extensions.models import AnswerFeedback
from tests.browser import in_a_browser
from tests.feedback.conftest import WHOLE, options
from tests.waiting import eventually

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
SHOTS = os.environ.get("WIDGET_SHOTS")  # a directory, for whoever wants to look


def shot(page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"feedback-{name}.png", full_page=True)


def stored(**fields) -> None:
    """Wait until there is this feedback, and no other."""
    eventually(lambda: AnswerFeedback.objects.filter(**fields).count() == 1)
    assert AnswerFeedback.objects.count() == 1


@pytest.fixture
def summary(block, make_scope, provider):
    make_scope(patch=options(keepAnswer=False))
    provider.reply("Leaves are **blue**.")
    block.open()
    block.button("AI summary").click()
    expect(block.button("Helpful")).to_be_visible()
    return block


def modules(block) -> list[str]:
    return [url for url in block.asked if "widget-feedback.js" in url]


def test_a_thumb_up_is_one_press_and_another_takes_it_back(summary):
    up, down = summary.button("Helpful"), summary.button("Not helpful")
    assert (up.get_attribute("aria-pressed"), down.get_attribute("aria-pressed")) == ("false", "false")
    up.press("Enter")
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(summary.root.get_by_role("status").filter(has_text="Thank you for your feedback.")).to_be_visible()
    expect(summary.root.get_by_label("Reason")).to_be_hidden()
    expect(up).to_be_focused()
    stored(rating="up", state="closed")
    shot(summary.page, "up")
    up.press("Enter")
    expect(up).to_have_attribute("aria-pressed", "false")
    assert not AnswerFeedback.objects.exists()
    assert len(modules(summary)) == 1


def test_a_thumb_down_asks_why(summary):
    down = summary.button("Not helpful")
    down.press("Space")
    reason = summary.root.get_by_label("Reason")
    expect(reason).to_be_focused()
    expect(down).to_have_attribute("aria-expanded", "true")
    stored(rating="down", text="")
    reason.select_option(label="It is wrong")
    summary.root.get_by_label("In your own words (optional)").fill("They are green.")
    shot(summary.page, "down")
    summary.button("Send").press("Enter")
    expect(reason).to_be_hidden()
    expect(down).to_be_focused()
    stored(rating="down", reason="wrong", text="They are green.", reported=False, state="open")
    summary.button("Helpful").click()
    expect(down).to_have_attribute("aria-pressed", "false")
    stored(rating="up", reason="", text="")


def test_an_answer_is_reported_with_or_without_a_rating(summary):
    report = summary.button("Report this answer")
    report.press("Enter")
    expect(summary.root.get_by_label("Reason")).to_be_focused()
    summary.page.keyboard.press("Escape")
    expect(report).to_be_focused()
    assert not AnswerFeedback.objects.exists()
    report.press("Enter")
    summary.root.get_by_label("Reason").select_option("offensive")
    summary.root.locator("form .primary").last.click()
    expect(summary.root.get_by_text("The answer is reported. Thank you.")).to_be_visible()
    expect(report).to_have_attribute("aria-pressed", "true")
    stored(rating="", reason="offensive", reported=True)


def test_the_next_answer_has_buttons_of_its_own(summary, provider):
    summary.button("Not helpful").click()
    expect(summary.root.get_by_label("Reason")).to_be_visible()
    provider.reply("Leaves are green.")
    summary.button("AI summary").click()
    expect(summary.answer).to_have_text("Leaves are green.")
    expect(summary.button("Not helpful")).to_have_attribute("aria-pressed", "false")
    expect(summary.root.get_by_label("Reason")).to_be_hidden()
    summary.button("Helpful").click()
    eventually(lambda: AnswerFeedback.objects.count() == 2)


def test_a_failure_is_told_and_changes_nothing(summary):
    summary.page.route("**/feedback/**", lambda route: route.abort())
    summary.button("Helpful").click()
    expect(summary.alert.or_(summary.root.locator("p[role=alert]:not(:empty)"))).to_contain_text("could not be reached")
    expect(summary.button("Helpful")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("patch", [options(feedback=None), options(feedback=False)], ids=["not said", "off"])
def test_a_profile_that_does_not_ask_loads_nothing(block, make_scope, provider, patch):
    make_scope(patch=patch)
    provider.reply("Leaves.")
    block.open()
    block.button("AI summary").click()
    expect(block.answer).to_have_text("Leaves.")
    expect(block.button("AI summary")).to_be_visible()
    expect(block.button("Helpful")).to_be_hidden()
    assert not modules(block)


def test_an_answer_that_comes_in_one_piece_can_be_rated(block, make_scope, provider):
    make_scope(patch=WHOLE)
    provider.reply("Leaves.")
    block.open()
    block.button("AI summary").click()
    block.button("Helpful").click()
    stored(rating="up")


def test_a_kept_answer_shows_what_was_said_of_it(block, make_scope, provider):
    make_scope()
    provider.reply("Leaves.")
    block.open()
    block.button("AI summary").click()
    block.button("Helpful").click()
    stored(rating="up")
    AnswerFeedback.objects.update(note="We are glad.")
    block.open()
    expect(block.button("Helpful")).to_have_attribute("aria-pressed", "true")
    expect(block.root.get_by_text("We are glad.")).to_be_visible()


def test_in_a_chat_each_answer_has_its_own(block, make_scope, provider):
    make_scope(base_filepath="base/chat.json5", model_greets=False)
    provider.reply("Leaves are blue.")
    block.open()
    block.button("Ask the tutor").click()
    box = block.root.get_by_role("textbox")
    box.fill("Which colour?")
    box.press("Enter")
    down = block.button("Not helpful")
    expect(down).to_have_count(1)  # not at the greeting
    down.click()
    block.root.get_by_label("In your own words (optional)").fill("Green!")
    shot(block.page, "chat")
    block.page.keyboard.press("Escape")
    expect(box).to_be_visible()  # the key has not closed the drawer
    stored(rating="down", text="")
    AnswerFeedback.objects.update(note="Thank you, corrected.", state="answered")
    block.open()  # with the drawer open, as it was left
    expect(block.button("Not helpful")).to_have_attribute("aria-pressed", "true")
    expect(block.root.get_by_role("region", name="Conversation").get_by_text("Thank you, corrected.")).to_be_visible()


@pytest.mark.parametrize("template", ["base/summary.json5", "base/chat.json5"], ids=["one-shot", "chat"])
def test_a_reply_is_shown_until_it_is_closed(block, make_scope, provider, template, learner):
    scope = make_scope(base_filepath=template)
    provider.reply("Leaves are blue.")
    block.open()
    opener = "AI summary" if template == "base/summary.json5" else "Ask the tutor"
    expect(block.button(opener)).to_be_visible()
    assert not modules(block)
    now = scope.profile.versions.get().created_at
    AnswerFeedback.objects.create(
        user=learner, run_id="r1", course_id=scope.course_id, profile=scope.profile, rating="down", text="Wrong!",
        note="Thank you,\ncorrected.", note_is_unread=True, changed_at=now, answered_at=now,
    )  # fmt: skip
    block.open()
    note = block.root.get_by_role("region", name="A reply to your feedback")
    expect(note).to_contain_text("Wrong!")
    expect(note).to_contain_text("corrected.")
    shot(block.page, f"note-{opener[0]}")
    note.get_by_role("button", name="Close").press("Enter")
    expect(note).to_be_hidden()
    expect(block.button(opener)).to_be_focused()
    block.open()
    expect(block.button(opener)).to_be_visible()
    expect(note).to_be_hidden()
