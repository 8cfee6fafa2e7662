"""Quiz questions in a real browser: written in the background, reviewed, written anew, saved to a library."""

from __future__ import annotations

import json

import pytest

from tests.browser import in_a_browser
from tests.e2e.panels import Disclosure, tab_to, widget
from tests.fakes.steps import Say
from tests.processors.openedx.quiz import INJECTIONS, injected, question
from tests.waiting import eventually

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser


def written(*names, **fields):
    questions = [question(display_name=name, question_html=f"<p>{name}?</p>", **fields) for name in names]
    return json.dumps({"collection_name": "Light", "questions": questions})


@pytest.fixture
def desk(page, demo):
    """The closed panel of an author, whose model writes three questions."""
    form = Disclosure(page, demo, "unit-quiz", "author")
    demo.provider.reply(written("One", "Two", "Three"))
    return form


@pytest.fixture
def review(desk):
    """Three questions in review."""
    desk.post("run", {"num_questions": 3})
    desk.open()
    expect(desk.questions).to_have_count(3)
    return desk


def titles(desk):
    return [text.split("\n")[0] for text in desk.questions.all_inner_texts()]


def test_the_keyboard_is_enough_from_the_wish_to_the_collection(desk, demo):
    keys = desk.page.keyboard
    desk.summary.focus()
    keys.press("Enter")
    expect(desk.button("Write questions")).to_be_visible()
    keys.press("Tab")
    keys.type("About light")
    keys.press("Tab")
    keys.type("3")
    keys.press("Enter")
    expect(desk.root.get_by_role("heading", name="In review: Light")).to_be_focused()
    expect(desk.root.get_by_role("status").filter(has_text="The questions are ready")).to_have_count(1)
    assert "About light" in demo.provider.requests[-1]["messages"][-1]["content"]
    keys.press("Tab")
    keys.press("Space")  # not the first
    expect(desk.save).to_have_text("Save 2 questions")
    tab_to(desk.page, "Save 2 questions")
    keys.press("Enter")
    expect(desk.status).to_have_text("2 questions saved.")
    link = desk.root.get_by_role("link", name="See what is in the collection")
    expect(link).to_be_focused()
    keys.press("Enter")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Light")
    expect(desk.page.get_by_role("heading", level=2)).to_have_text(["Two", "Three"])
    expect(desk.page.get_by_text("Not published yet")).to_have_count(2)


def test_a_question_is_written_anew_as_the_author_wants_it(review, demo):
    demo.provider.reply(written("Another"))
    second = review.questions.nth(1)
    second.get_by_text("Rewrite this question").click()
    second.get_by_role("textbox", name="What should be different?").fill("Harder")
    second.get_by_role("button", name="Write another version").click()
    expect(second.get_by_role("status")).to_have_text("Version 2 is ready.")
    assert titles(review) == ["1. One", "2. Another", "3. Three"]
    asked = demo.provider.requests[-1]["messages"]
    assert "Harder" in asked[-1]["content"]
    assert "One?" in json.dumps(asked)
    version = second.get_by_role("combobox", name="Version")
    expect(version.locator("option")).to_have_text(["1 of 2", "2 of 2"])
    version.select_option(label="1 of 2")
    assert titles(review) == ["1. One", "2. Two", "3. Three"]
    review.reopen()  # what the author chose in the browser only is not kept; the versions are
    expect(review.questions.nth(1)).to_contain_text("2. Another")


def test_a_question_that_cannot_be_written_anew_stays(review, demo):
    demo.provider.fail(401)
    demo.expected_status = 500
    first = review.questions.first
    first.get_by_text("Rewrite this question").click()
    first.get_by_role("button", name="Write another version").click()
    expect(first.get_by_role("alert")).to_have_text("The AI service is currently unavailable.")
    assert titles(review)[0] == "1. One"


def test_a_run_can_be_cancelled_and_the_review_stays(review, demo):
    demo.provider.hang(300)
    review.button("Write questions").click()
    review.root.get_by_role("dialog").get_by_role("button", name="Replace them").click()
    expect(review.root).to_contain_text("Writing questions.")
    expect(review.progress).to_have_js_property("value", 0.3)
    review.button("Cancel").click()
    expect(review.status).to_have_text("Cancelled. Nothing was changed.")
    assert review.post("get_run_status") == {"status": "cancelled"}
    demo.provider.always(Say(written("New")))
    demo.provider.go_on()
    eventually(lambda: len(demo.provider.billed) > 1)  # what was asked has been answered
    review.reopen()
    expect(review.questions).to_have_count(3)
    assert titles(review) == ["1. One", "2. Two", "3. Three"]


def test_new_questions_replace_those_in_review_only_after_a_yes(review, demo):
    demo.provider.reply(written("New", "Newer", "Newest"))
    review.button("Write questions").click()
    expect(review.root.get_by_role("button", name="Keep them")).to_be_focused()
    review.page.keyboard.press("Enter")
    assert len(demo.provider.requests) == 1
    review.button("Write questions").click()
    review.root.get_by_role("dialog").get_by_role("button", name="Replace them").click()
    expect(review.questions.first).to_contain_text("1. New")


def test_a_run_goes_on_while_nobody_looks(desk, demo):
    demo.provider.hang(300)
    desk.open()
    desk.button("Write questions").click()
    expect(desk.progress).to_be_visible()
    desk.reopen()
    expect(desk.progress).to_be_visible()
    demo.provider.go_on()
    expect(desk.questions).to_have_count(3)
    assert len(demo.provider.requests) == 1


def test_a_fault_is_said_now_and_on_the_next_visit(desk, demo):
    demo.provider.fail(401)
    desk.open()
    desk.button("Write questions").click()
    for _visit in range(2):
        expect(desk.alert).to_contain_text("The AI service is currently unavailable.")
        expect(desk.button("Write questions")).to_be_visible()
        desk.reopen()


def test_a_site_that_is_away_for_a_moment_does_not_end_the_wait(desk, demo):
    demo.expected_status = "ERR_FAILED"
    desk.open()
    expect(desk.button("Write questions")).to_be_visible()
    desk.breaks("get_run_status")
    desk.button("Write questions").click()
    expect(desk.root).to_contain_text("The site could not be reached. Trying again…")
    desk.mends()
    expect(desk.questions).to_have_count(3)


def test_what_failed_to_be_saved_is_marked_and_saved_later(review):
    review.changes("save", lambda wanted: wanted["questions"][1].update(choices=[]))
    review.root.get_by_label("Name of the new collection").fill("Partly")
    review.save.click()
    lines = review.saving
    expect(lines.get_by_role("alert")).to_have_text("Questions saved: 2. Not saved: 1; these stay in review.")
    expect(review.questions.nth(1).get_by_role("alert")).to_contain_text("This question was not saved: choices must be")
    expect(review.questions.nth(0)).to_contain_text("This question is saved.")
    expect(review.root.get_by_role("combobox", name="Collection").locator("option:checked")).to_have_text("Partly")
    expect(review.save).to_have_text("Save 1 question")
    review.mends()
    review.save.click()
    expect(review.status).to_have_text("1 question saved.")
    review.root.get_by_role("link", name="See what is in the collection").click()
    expect(review.page.get_by_role("heading", level=2)).to_have_text(["One", "Three", "Two"])


def test_into_a_collection_that_exists_and_published(review, demo):
    review.root.get_by_label("Name of the new collection").fill("Shelf")
    review.questions.nth(1).get_by_label("Save this question").uncheck()
    review.questions.nth(2).get_by_label("Save this question").uncheck()
    review.save.click()
    expect(review.status).to_have_text("1 question saved.")
    demo.provider.reply(written("Four", "Five", "Six"))
    review.button("Write questions").click()
    expect(review.questions).to_have_count(3)
    review.root.get_by_role("combobox", name="Collection").select_option(label="Shelf")
    expect(review.root.get_by_label("Name of the new collection")).to_be_hidden()
    review.root.get_by_label("Publish the library's changes at once").check()
    review.save.click()
    expect(review.status).to_have_text("3 questions saved.")
    review.reopen()
    review.root.get_by_role("link", name="See what is in the collection").click()
    expect(review.page.get_by_role("heading", level=2)).to_have_text(["One", "Four", "Five", "Six"])
    expect(review.page.get_by_text("Published", exact=True)).to_have_count(4)


def test_a_library_that_refuses_everything_says_so(review, demo):
    demo.expected_status = 400
    review.changes("save", lambda wanted: wanted.update(collection_key="no-such-collection"))
    review.save.click()
    expect(review.saving.get_by_role("alert")).to_contain_text("Nothing was saved.")
    expect(review.questions.get_by_role("alert")).to_contain_text(["There is no such collection"] * 3)
    expect(review.save).to_have_text("Save 3 questions")


def test_discarding_asks_first(review):
    review.button("Discard all").click()
    review.page.keyboard.press("Escape")
    expect(review.questions).to_have_count(3)
    review.button("Discard all").click()
    review.root.get_by_role("dialog").get_by_role("button", name="Discard all").click()
    expect(review.status).to_have_text("The questions are discarded.")
    expect(review.questions).to_have_count(0)
    assert review.post("get_current_session_response")["response"] is None


def test_what_a_model_writes_does_nothing(desk, demo):
    questions = [injected("multiplechoiceresponse", payload) for payload in INJECTIONS]
    demo.provider.reply(json.dumps({"collection_name": INJECTIONS[0], "questions": questions}))
    desk.post("run", {"num_questions": len(questions)})
    desk.open()
    expect(desk.questions).to_have_count(len(questions))
    expect(
        desk.questions.locator("script, img, svg:not(.icon), iframe, a, [style], [onclick], [onerror]")
    ).to_have_count(0)


def test_it_fits_a_narrow_screen(desk, demo):
    demo.provider.reply(written("w" * 190))
    desk.post("run", {"num_questions": 1})
    desk.open()
    expect(desk.questions).to_have_count(1)
    assert desk.is_narrow()


def test_learners_do_not_meet_it(page, demo):
    page.goto(f"{demo.url}/")
    page.get_by_role("button", name="learner", exact=True).click()
    expect(page.get_by_role("heading", name="Flashcards")).to_be_visible()
    expect(widget(page, "unit-quiz")).to_have_count(0)
