"""The demo site in a real browser, as its people use it: with a mouse, with a keyboard, and where things end early."""

from __future__ import annotations

import re
import time

import pytest

from tests.conftest import COURSE_ID, UNIT_ID, from_learner
from tests.e2e.conftest import CHROMIUM

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no browser at {CHROMIUM}"),
]
WORDS = [f"word{number} " for number in range(100)]


@pytest.fixture(autouse=True)
def patience():
    """A busy machine is slow, not wrong."""
    expect.set_options(timeout=30_000)


def log_in(page, demo, name="learner"):
    page.goto(f"{demo.url}/")
    page.get_by_role("button", name=name, exact=True).click()


def slot(page, name="unit-summary"):
    return page.locator(f"[data-ui-slot-selector-id={name}]")


def summarise(page):
    """Press the button; return its widget."""
    widget = slot(page)
    widget.get_by_role("button", name="AI summary").click()
    return widget


def test_a_summary_streams_in(page, demo):
    demo.provider.reply(WORDS[:20], delay=0.3)
    log_in(page, demo)
    answer = summarise(page).locator(".ai-answer")
    expect(answer).to_contain_text("word0")
    assert "word19" not in answer.inner_text()
    expect(answer).to_contain_text("word19")
    expect(answer).to_have_attribute("aria-busy", "false")


def test_the_keyboard_reaches_everything_and_gets_the_focus_back(page, demo):
    page.goto(f"{demo.url}/")
    tab_to(page, "learner")
    page.keyboard.press("Enter")
    button = slot(page).get_by_role("button", name="AI summary")
    expect(button).to_be_visible()
    tab_to(page, "AI summary")
    page.keyboard.press("Enter")
    expect(slot(page).locator(".ai-answer")).to_have_text("Hello from the model.")
    expect(button).to_be_focused()


def tab_to(page, name):
    for _step in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"{name} cannot be reached with the Tab key")


def test_stopping_keeps_the_text_and_reaches_the_provider(page, demo):
    demo.provider.reply(WORDS, delay=0.1)
    log_in(page, demo)
    widget = summarise(page)
    answer = widget.locator(".ai-answer")
    expect(answer).to_contain_text("word1 ")
    widget.get_by_role("button", name="Stop").click()
    expect(widget.get_by_role("alert")).to_have_text("Stopped.")

    seen = answer.text_content()
    assert seen.startswith("word0 word1 ")
    expect(widget.get_by_role("button", name="AI summary")).to_be_focused()
    until = time.monotonic() + 10
    while demo.provider.disconnects == 0 and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert demo.provider.disconnects == 1
    assert answer.text_content() == seen


def test_a_broken_stream_keeps_what_came_and_says_so(page, demo):
    demo.provider.reply(WORDS, delay=0.02)
    demo.provider.cut_after(4)
    log_in(page, demo)
    widget = summarise(page)
    expect(widget.get_by_role("alert")).to_have_text(re.compile(r"\w+ \w+"))
    assert widget.locator(".ai-answer").text_content().startswith("word0 word1 ")
    assert "||" not in widget.inner_text()
    assert "error_in_stream" not in widget.inner_text()


def test_a_question_reaches_the_model(page, demo):
    log_in(page, demo)
    ask = slot(page, "unit-ask")
    ask.get_by_role("textbox").fill("Why are leaves green?")
    ask.get_by_role("button", name="Ask").click()
    expect(ask.locator(".ai-answer")).to_have_text("Hello from the model.")
    assert demo.provider.requests[-1]["messages"][-1] == from_learner("Why are leaves green?")


def test_a_failure_is_said_in_words(page, demo):
    demo.provider.fail(401, times=1)
    demo.expected_status = 500
    log_in(page, demo)
    expect(summarise(page).get_by_role("alert")).to_have_text("The AI service is currently unavailable.")


def test_one_unit_has_a_workflow_of_its_own(page, demo):
    log_in(page, demo)
    page.get_by_role("link", name="From carbon dioxide to sugar").click()
    expect(slot(page).get_by_role("button")).to_have_text(["Ask the AI"])


def test_a_stranger_sees_no_unit(page, demo):
    demo.expected_status = 404
    log_in(page, demo, "stranger")
    expect(page.get_by_role("main")).to_contain_text("You are not enrolled")
    assert page.goto(f"{demo.url}/unit/{UNIT_ID}/").status == 404
    expect(page.locator("[data-ui-slot-selector-id]")).to_have_count(0)


SUGAR = UNIT_ID.replace("vertical+block@unit_sunlight", "html+block@html_sugar")
NOTES = UNIT_ID.replace("unit_sunlight", "unit_teacher_notes")


@pytest.mark.parametrize(
    ("name", "course", "place", "status", "heading"),
    [
        pytest.param("learner", COURSE_ID, SUGAR, 200, "From carbon dioxide to sugar", id="to the unit that holds it"),
        pytest.param("learner", COURSE_ID, NOTES, 404, None, id="not to what is for staff only"),
        pytest.param("author", COURSE_ID, NOTES, 200, "Notes for teachers", id="which staff may see"),
        pytest.param("learner", "course-v1:Other+C+r", SUGAR, 404, None, id="not by way of another course"),
        pytest.param("learner", COURSE_ID, "nonsense", 404, None, id="not to nowhere"),
        pytest.param("stranger", COURSE_ID, SUGAR, 404, None, id="not for a stranger"),
        pytest.param(None, COURSE_ID, SUGAR, 200, "Who are you?", id="only after saying who one is"),
    ],
)
def test_where_links_of_the_platform_lead(page, demo, name, course, place, status, heading):
    demo.expected_status = 404
    if name:
        log_in(page, demo, name)
    assert page.goto(f"{demo.url}/course/{course}/{place}").status == status
    if heading:
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)


@pytest.mark.parametrize("name", ["author", "admin"])
def test_the_others_get_the_widgets_and_can_leave(page, demo, name):
    log_in(page, demo, name)
    expect(slot(page).get_by_role("button", name="AI summary")).to_be_visible()
    page.get_by_role("button", name="Be somebody else").click()
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
