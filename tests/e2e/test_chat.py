"""The tutor chat in a real browser: it remembers, shows what it does, and gets over what goes wrong."""

from __future__ import annotations

import json

import pytest

from tests.browser import in_a_browser
from tests.conftest import COURSE_ID, UNIT_ID, from_learner
from tests.e2e.panels import Chat
from tests.fakes.provider import Break, CallTools, Say, ToolCall
from tests.waiting import eventually

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
WORDS = [f"word{number} " for number in range(1000)]
GREETING = "Hello! Ask me anything about this unit."
ANSWER = "Hello from the model."
STARTERS = [
    "What are the main ideas of this unit?",
    "Explain the hardest part in simple words.",
    "Ask me a question to check what I know.",
]
HINT = "Enter sends, Shift+Enter makes a new line. The tutor is an AI and can be wrong."
WHY = "Why are leaves green?"


def expect_messages(chat, *texts):
    """These messages, in order; each as who said it, what, and what became of it."""
    expect(chat.messages).to_have_text([" ".join(text).strip() for text in texts], use_inner_text=True)


@pytest.fixture
def chat(page, demo):
    """A fresh chat, not yet opened."""
    chat = Chat(page, demo)
    expect(chat.button("Ask the tutor")).to_be_visible()
    chat.post("clear_session")
    return chat


@pytest.fixture
def greeted(chat):
    """A chat whose greeting has arrived."""
    chat.open()
    expect_messages(chat, ("Tutor", GREETING))
    return chat


def test_the_greeting_and_questions_to_start_with_cost_nothing(chat, demo):
    chat.button("Ask the tutor").click()
    expect_messages(chat, ("Tutor", GREETING))
    expect(chat.log).to_have_text(f"Tutor: {GREETING}")
    expect(chat.input).to_be_focused()
    starters = chat.root.get_by_role("list", name="Suggested questions").get_by_role("button")
    expect(starters).to_have_text(STARTERS)
    assert demo.provider.requests == []
    chat.input.fill("not finished")
    keys = chat.page.keyboard
    keys.press("Shift+Tab")
    expect(starters.last).to_be_focused()
    keys.press("Enter")
    expect_messages(chat, ("You", STARTERS[2]), ("Tutor", ANSWER))
    expect(chat.input).to_be_focused()
    expect(chat.input).to_have_value("not finished")
    expect(starters).to_have_count(0)
    chat.reopen()
    expect_messages(chat, ("You", STARTERS[2]), ("Tutor", ANSWER))
    expect(starters).to_have_count(0)


def test_a_question_can_be_chosen_before_the_conversation_is_known(chat, demo):
    waiting = []

    def hold(route):
        if "get_current_session_response" in route.request.post_data:
            waiting.append(route)
        else:
            route.continue_()

    chat.page.route("**/workflows/**", hold)
    chat.button("Ask the tutor").click()
    expect_messages(chat, ("Tutor", GREETING))
    chat.button(STARTERS[0]).click()
    eventually(lambda: len(waiting) == 1)
    waiting[0].continue_()
    expect_messages(chat, ("You", STARTERS[0]), ("Tutor", ANSWER))
    assert len(demo.provider.requests) == 1


def test_a_conversation_that_cannot_be_read_can_be_tried_again(chat, demo):
    demo.expected_status = "ERR_FAILED"
    chat.post("run", WHY)
    chat.page.route("**/workflows/**", lambda route: route.abort(), times=1)
    chat.button("Ask the tutor").click()
    expect(chat.root.get_by_role("alert")).to_contain_text("The site could not be reached.")
    chat.button("Try again").click()
    expect_messages(chat, ("You", WHY), ("Tutor", ANSWER))
    expect(chat.root.get_by_role("alert")).to_have_count(0)


def test_a_double_click_asks_and_does_not_stop(chat, demo):
    chat.open()
    demo.provider.reply(WORDS[:12], delay=60)
    chat.input.fill(WHY)
    chat.button("Send").dblclick()
    expect(chat.messages.last).to_contain_text("word0")
    expect(chat.button("Stop")).to_be_visible()
    demo.provider.go_on()
    expect(chat.messages.last).to_contain_text("word11")


def test_an_answer_streams_in(chat, demo):
    chat.open()
    expect(chat.log).to_contain_text(GREETING)
    demo.provider.reply(WORDS[:12], delay=60)
    chat.send(WHY)
    expect(chat.messages.last).to_contain_text("word0")
    assert "word1" not in chat.messages.last.inner_text()
    # Who listens hears the answer once, when it is complete.
    assert (chat.whisper.text_content(), chat.log.text_content()) == ("The tutor is thinking…", "")
    demo.provider.go_on()
    expect(chat.log).to_contain_text("word0 word1")
    assert "word11" in chat.log.text_content()
    assert len(demo.provider.requests) == 1


def test_it_remembers_within_a_visit_and_beyond(greeted, demo):
    demo.provider.then(Say("Because of chlorophyll."), Say("Red light."))
    greeted.send(WHY)
    expect_messages(greeted, ("You", WHY), ("Tutor", "Because of chlorophyll."))
    greeted.send("What does it catch?")
    expect(greeted.messages.last).to_contain_text("Red light.")
    said = [message["content"] for message in demo.provider.requests[-1]["messages"][1:]]
    asked = [from_learner(text)["content"] for text in (WHY, "What does it catch?")]
    assert said == [asked[0], "Because of chlorophyll.", asked[1]]

    greeted.reopen()
    expect(greeted.messages).to_have_count(4)
    expect(greeted.messages.last).to_contain_text("Red light.")
    assert len(demo.provider.requests) == 2


def test_earlier_messages_come_on_demand(chat):
    for number in range(6):
        chat.post("run", f"question {number}")
    chat.open()
    expect(chat.messages).to_have_count(10)
    expect(chat.messages.first).to_contain_text("question 1")
    chat.send("question 6")  # what was said since does not confuse the count
    expect(chat.messages).to_have_count(12)
    expect(chat.button("Send")).to_be_visible()
    chat.button("Show earlier messages").click()
    expect(chat.messages).to_have_count(14)
    expect(chat.messages.first).to_contain_text("question 0")
    expect(chat.button("Show earlier messages")).to_be_hidden()
    expect(chat.root.get_by_role("region", name="Conversation")).to_be_focused()


def test_what_the_tutor_looks_up_is_said_and_its_links_lead_there(greeted, demo):
    demo.provider.hang(60, after=1)
    link = f"{demo.url}/course/{COURSE_ID}/{UNIT_ID.replace('vertical+block@unit_sunlight', 'html+block@html_sugar')}"
    demo.provider.then(
        CallTools(ToolCall("get_location_link", {"location_id": link.rpartition("/")[2]})), Say(f"See {link}.")
    )
    greeted.send("Where is sugar made?")
    expect(greeted.messages.last).to_contain_text("Looking up a link…")
    demo.provider.go_on()
    expect(greeted.messages.last).to_have_text(f"TutorSee {link}.")
    assert link in demo.provider.requests[-1]["messages"][-1]["content"]  # it is what the tool had said
    greeted.page.get_by_role("link", name=link).click()
    expect(greeted.page.get_by_role("heading", level=1)).to_have_text("From carbon dioxide to sugar")


def test_an_answer_can_be_stopped_and_asked_for_again(greeted, demo):
    demo.provider.reply(WORDS, delay=0.1)
    demo.expected_status = 409  # the server may still be busy with the first try
    greeted.send(WHY)
    expect(greeted.messages.last).to_contain_text("word1 ")
    greeted.button("Stop").click()
    expect(greeted.messages.last).to_contain_text("Stopped.")
    expect(greeted.input).to_be_focused()
    demo.provider.reply("All of it.")
    greeted.button("Try again").click()
    expect(greeted.log).to_have_text("Tutor: All of it.")
    for _visit in range(2):
        expect_messages(greeted, ("You", WHY), ("Tutor", "All of it."))
        greeted.reopen()


def test_after_an_error_the_question_is_asked_once(greeted, demo):
    demo.provider.fail(401, times=2)
    demo.expected_status = 500
    failed = ("You", WHY, "The AI service is currently unavailable.", "Try again")
    greeted.send(WHY)
    expect_messages(greeted, failed)
    demo.provider.hang(60)
    greeted.button("Try again").click()
    expect_messages(greeted, ("You", WHY), ("Tutor", "The tutor is thinking…"))
    demo.provider.go_on()
    expect_messages(greeted, failed)
    greeted.send(WHY)  # typed again, it is another try too
    for _visit in range(2):
        expect_messages(greeted, ("You", WHY), ("Tutor", ANSWER))
        greeted.reopen()


@pytest.mark.parametrize(
    ("chunks", "marked"),
    [
        pytest.param(2, ("Tutor", "Hello from", "The answer broke off before its end.", "Try again"), id="cut off"),
        pytest.param(0, ("You", WHY, "No answer was received.", "Try again"), id="no answer"),
    ],
)
def test_what_went_wrong_is_still_said_on_the_next_visit(greeted, demo, chunks, marked):
    demo.provider.always(Break(chunks))
    demo.expected_status = 503
    greeted.send(WHY)
    expect(greeted.button("Try again")).to_be_visible()
    greeted.reopen()
    expect_messages(greeted, *([("You", WHY), marked] if chunks else [marked]))
    demo.provider.always(Say("At last."))
    greeted.button("Try again").click()
    expect_messages(greeted, ("You", WHY), ("Tutor", "At last."))
    expect(greeted.button("Try again")).to_have_count(0)


def test_the_keyboard_is_enough(chat, demo):
    keys = chat.page.keyboard
    chat.button("Ask the tutor").focus()
    keys.press("Enter")
    expect_messages(chat, ("Tutor", GREETING))
    expect(chat.input).to_be_focused()
    expect(chat.input).to_have_accessible_description(HINT)
    keys.type("One")
    keys.press("Shift+Enter")
    keys.type("Two")
    keys.press("Enter")
    expect(chat.messages).to_have_count(2)
    expect(chat.log).to_have_text(f"Tutor: {ANSWER}")
    assert demo.provider.requests[-1]["messages"][-1] == from_learner("One\nTwo")
    expect(chat.input).to_be_focused()
    expect(chat.input).to_have_value("")
    keys.press("Escape")
    expect(chat.button("Ask the tutor")).to_be_focused()
    keys.press("Enter")
    expect(chat.messages).to_have_count(2)


def test_what_is_sent_too_early_waits_for_its_turn(chat, demo):
    demo.provider.hang(60)
    chat.button("Ask the tutor").click()
    chat.send("Are leaves green?")
    expect(chat.input).to_have_value("")
    chat.send(WHY)
    expect(chat.input).to_have_accessible_description("This is sent when the tutor has answered.")
    expect(chat.input).to_have_value(WHY)
    demo.provider.go_on()
    expect(chat.messages).to_have_count(4)
    expect(chat.input).to_have_value("")
    expect(chat.input).to_have_accessible_description(HINT)


def test_starting_over_asks_first(greeted, demo):
    greeted.send(WHY)
    expect(greeted.messages).to_have_count(2)
    expect(greeted.log).to_have_text(f"Tutor: {ANSWER}")
    keys, dialog = greeted.page.keyboard, greeted.dialog
    for way_out in ("Escape", "Enter"):
        greeted.button("Start over").first.focus()
        keys.press("Enter")
        expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
        keys.press(way_out)
        expect(dialog).to_be_hidden()
        expect(greeted.button("Start over")).to_be_focused()
    expect(greeted.messages).to_have_count(2)

    keys.press("Enter")
    expect(dialog).to_be_visible()
    keys.press("Tab")
    keys.press("Enter")
    expect_messages(greeted, ("Tutor", GREETING))
    expect(greeted.input).to_be_focused()
    greeted.send("Hello?")
    expect(greeted.messages.last).to_contain_text(ANSWER)
    assert WHY not in json.dumps(demo.provider.requests[-1]["messages"])


def test_what_a_model_writes_is_text(greeted, demo):
    demo.provider.reply("<img src=x onerror=alert(1)> [here](https://evil.example/x) javascript:alert(1)")
    greeted.send("<b>Hi</b>")
    shown = "<img src=x onerror=alert(1)> here (evil.example) javascript:alert(1)"
    expect_messages(greeted, ("You", "<b>Hi</b>"), ("Tutor", shown))
    expect(greeted.root.locator("img, b")).to_have_count(0)
    link = greeted.messages.locator("a")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == (
        "https://evil.example/x",
        "noopener noreferrer",
    )


def test_it_fits_a_narrow_screen(greeted, demo):
    # 320 pixels wide, which is also what 1280 are at 400 %.
    greeted.page.set_viewport_size({"width": 320, "height": 480})
    demo.provider.reply("Photo" * 60)
    greeted.send("w" * 200)
    expect(greeted.log).to_contain_text("Photo")
    assert greeted.page.evaluate("document.documentElement.scrollWidth") <= 320
    box = greeted.button("Send").bounding_box()
    assert box["x"] + box["width"] <= 320
