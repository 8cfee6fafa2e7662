"""The demo site in a real browser, as its people use it: with a mouse, with a keyboard, and where things end early."""

from __future__ import annotations

import pytest

from tests.browser import in_a_browser
from tests.conftest import COURSE_ID, UNIT_ID, from_learner
from tests.e2e.panels import OneShot, tab_to, widget
from tests.waiting import eventually

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
WORDS = [f"word{number} " for number in range(1000)]


def log_in(page, demo, name="learner"):
    page.goto(f"{demo.url}/")
    page.get_by_role("button", name=name, exact=True).click()


def summarise(page, demo):
    """Press the button; return its box."""
    box = OneShot(page, demo)
    box.button("AI summary").click()
    return box


def test_a_summary_streams_in(page, demo):
    demo.provider.reply(WORDS[:20], delay=60)
    box = summarise(page, demo)
    expect(box.answer).to_contain_text("word0")
    assert "word1" not in box.answer.inner_text()
    demo.provider.go_on()
    expect(box.answer).to_contain_text("word19")
    expect(box.box).to_have_attribute("aria-busy", "false")


def test_the_keyboard_reaches_everything_and_gets_the_focus_back(page, demo):
    page.goto(f"{demo.url}/")
    tab_to(page, "learner")
    page.keyboard.press("Enter")
    button = widget(page).get_by_role("button", name="AI summary")
    expect(button).to_be_visible()
    tab_to(page, "AI summary")
    page.keyboard.press("Enter")
    expect(widget(page).locator(".answer")).to_have_text("Hello from the model.")
    expect(button).to_be_focused()


def test_stopping_keeps_the_text_and_reaches_the_provider(page, demo):
    demo.provider.reply(WORDS, delay=0.1)
    box = summarise(page, demo)
    expect(box.answer).to_contain_text("word1 ")
    box.button("Stop").click()
    expect(box.root.locator(".note p")).to_have_text("Stopped.")

    seen = box.answer.text_content()
    assert seen.startswith("word0 word1")
    expect(box.button("AI summary")).to_be_focused()
    eventually(lambda: demo.provider.disconnects == 1)
    assert box.answer.text_content() == seen


def test_a_broken_stream_keeps_what_came_and_says_so(page, demo):
    demo.provider.reply(WORDS)
    demo.provider.cut_after(4)
    box = summarise(page, demo)
    expect(box.alert).to_have_text("The answer broke off before its end.")
    assert box.answer.text_content().startswith("word0 word1 ")
    assert "||" not in box.root.inner_text()
    assert "error_in_stream" not in box.root.inner_text()


def test_a_question_reaches_the_model(page, demo):
    box = OneShot(page, demo, "unit-ask")
    box.root.get_by_role("textbox").fill("Why are leaves green?")
    box.button("Ask").click()
    expect(box.answer).to_have_text("Hello from the model.")
    assert demo.provider.requests[-1]["messages"][-1] == from_learner("Why are leaves green?")


def test_a_failure_is_said_in_words(page, demo):
    demo.provider.fail(401, times=1)
    demo.expected_status = 500
    expect(summarise(page, demo).alert).to_have_text("The AI service is currently unavailable.")


def test_an_html_block_is_enough(page, demo):
    log_in(page, demo)
    page.get_by_role("link", name="The same in an HTML block").click()
    widget(page).get_by_role("button", name="AI summary").click()
    expect(widget(page).locator(".answer")).to_have_text("Hello from the model.")


def test_one_unit_has_a_workflow_of_its_own(page, demo):
    log_in(page, demo)
    page.get_by_role("link", name="From carbon dioxide to sugar").click()
    expect(widget(page).get_by_role("button")).to_have_text(["Ask the AI"])


def test_a_stranger_sees_no_unit(page, demo):
    demo.expected_status = 404
    log_in(page, demo, "stranger")
    expect(page.get_by_role("main")).to_contain_text("You are not enrolled")
    assert page.goto(f"{demo.url}/unit/{UNIT_ID}/").status == 404
    expect(page.locator("openedx-ai-widget")).to_have_count(0)


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
    expect(widget(page).get_by_role("button", name="AI summary")).to_be_visible()
    # Some widgets are still asking; that the session ends meanwhile must not show in the console.
    page.get_by_role("button", name="Change person").click()
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()


def test_times_are_those_of_the_browsers_clock(browser, demo):
    with browser.new_context(timezone_id="Pacific/Kiritimati") as context:
        page = context.new_page()
        log_in(page, demo, "admin")
        page.goto(f"{demo.url}/admin/auth/user/1/change/")
        warning = page.locator(".timezonewarning").first  # Django's, if the server's time differs from the browser's
        expect(page.get_by_role("link", name="Now").first).to_be_visible()
        expect(warning).to_have_count(0)
        context.clear_cookies(name="timezone")
        page.reload()
        expect(warning).to_have_text("Note: You are 14 hours ahead of server time.")


def test_the_formulas_of_the_course_are_typeset(page, demo):
    log_in(page, demo)
    page.goto(f"{demo.url}/unit/{UNIT_ID.rpartition('@')[0]}@unit_sugar/")
    formula = page.locator("article math annotation")
    expect(formula).to_contain_text("12\\,\\mathrm{NADPH} \\rightarrow \\text{one glucose}")
    expect(page.locator("article .formula")).to_have_css("direction", "ltr")


def test_it_speaks_the_browsers_language(browser, demo):
    with browser.new_context(locale="ar") as context:
        page = context.new_page()
        log_in(page, demo)
        expect(page.locator("html[lang=ar][dir=rtl]")).to_have_count(1)
        expect(widget(page).get_by_role("button").first).to_have_text("ملخص بالذكاء الاصطناعي")
