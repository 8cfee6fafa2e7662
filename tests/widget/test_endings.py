"""How an answer ended, as the widget shows it: after thinking, cut off, continued, declined or empty."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from submissions.models import Submission

from tests.browser import in_a_browser
from tests.conftest import from_learner
from tests.fakes.steps import Wire
from tests.providers.shapes import DONE, chunk, message, text, usage
from tests.waiting import eventually

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
ASK = "base/ask.json5"
WHOLE = {"processor_config": {"LLMProcessor": {"stream": False}}}
WHY = "Why are leaves green?"
CUT_OFF = "The answer was cut off because it reached its length limit. You can ask the AI to continue."
FILTERED = "The AI service stopped this answer because of its content rules."
DECLINED = "The AI declined to answer this."
LONGER = "The AI's answer was longer than allowed. Please ask for something shorter."
EMPTY = "The AI gave no answer. Please try again."
BROKEN = "The answer broke off before its end."
REFUSAL = Wire((chunk({"refusal": "I can't."}), chunk(finish="stop"), usage(), DONE))
TOO_LONG = Wire((chunk(finish="length"), usage(), DONE))
NOTHING = Wire((chunk(finish="stop"), usage(), DONE))
# All that the live region for what goes on has said.
LISTEN = """(widget) => {
  const status = widget.shadowRoot.querySelector(".sr-only[role=status]");
  window.said = [];
  new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true });
}"""


def answer(words: str, finish: str = "stop", *, before: Sequence[bytes] = (), pause: float = 0) -> Wire:
    """An answer that ends this way, streamed or whole; ``pause`` seconds after each piece, unless told to go on."""
    stream = (*before, text(words), chunk(finish=finish), usage(), DONE)
    return Wire(stream, message(words, finish), pause=pause)


@pytest.fixture
def chat(block, make_scope, provider):
    """The panel of a chat whose greeting has arrived."""
    make_scope(base_filepath="base/chat.json5")
    provider.then(answer("Hello."))
    block.open()
    block.root.locator("button.open").click()
    expect(block.root.get_by_role("log")).to_have_text("Tutor: Hello.")
    return block.root.get_by_role("dialog")


def messages_of(panel) -> list[str]:
    """Each message: who said it, what, and what became of it."""
    return [" ".join(words.split()) for words in panel.locator(".message").all_inner_texts()]


def test_thinking_is_said_once_and_gone_with_the_first_text(block, make_scope, provider):
    make_scope()
    thought = chunk({"reasoning_content": "Hm."})
    provider.then(answer("of light.", before=[thought, text("Because "), thought], pause=60))
    block.open()
    expect(block.button("AI summary")).to_be_visible()
    block.root.evaluate(LISTEN)
    block.button("AI summary").click()
    expect(block.root.locator(".progress-text")).to_have_text("Thinking…")
    provider.go_on()
    expect(block.answer).to_have_text("Because of light.")
    expect(block.root.locator(".progress-text")).to_be_hidden()
    expect(block.root.get_by_role("log")).to_have_text("Summary: Because of light.")
    block.page.wait_for_function("said.length >= 3")
    assert block.page.evaluate("said") == ["The AI is working…", "Thinking…", ""]


@pytest.mark.parametrize("patch", [pytest.param({}, id="streamed"), pytest.param(WHOLE, id="whole")])
def test_an_answer_that_was_cut_off_is_continued(block, make_scope, provider, patch):
    make_scope(base_filepath=ASK, patch=patch)
    first = "A leaf is green. " * 100 + "Chloro"
    provider.then(answer(first, "length"), answer("phyll takes **red", "length"), answer("** light."))
    block.open()
    field = block.root.get_by_role("textbox")
    field.fill(WHY)
    field.press("Enter")
    note, more = block.root.get_by_role("note"), block.button("Continue")
    expect(note).to_have_text(f"{CUT_OFF}Continue")
    expect(block.answer).to_have_text(first)
    expect(block.root.get_by_role("log")).to_contain_text(f"Chloro {CUT_OFF}")
    expect(field).to_be_focused()
    place = block.answer.bounding_box()

    field.fill("Something else, not yet asked.")
    more.press("Enter")
    expect(block.answer).to_have_text(f"{first}phyll takes **red")
    expect(block.root.get_by_role("log")).to_have_text(f"Answer: phyll takes **red {CUT_OFF}")
    assert (block.answer.bounding_box()["x"], block.answer.bounding_box()["y"]) == (place["x"], place["y"])
    asked = provider.requests[-1]["messages"][-1]["content"]
    assert asked.startswith(from_learner(WHY)["content"].removesuffix("\n</learner_message>"))
    assert asked.endswith(f"\n\n{first[-1500:]}\n</learner_message>")
    assert first[-1501:] not in asked

    expect(more).to_be_focused()
    more.press("Enter")
    expect(block.answer).to_have_text(f"{first}phyll takes red light.")
    expect(note).to_have_count(0)
    expect(field).to_be_focused()
    expect(field).to_have_value("Something else, not yet asked.")


def test_a_continuation_that_fails_is_tried_again_from_the_same_place(block, make_scope, provider):
    make_scope()
    provider.then(answer("Chloro", "length"), Wire((text("plast"),)), answer("phyll."))
    block.open()
    block.button("AI summary").click()
    block.button("Continue").click()
    expect(block.alert).to_have_text(BROKEN)
    expect(block.answer).to_have_text("Chloroplast")
    block.button("Try again").click()
    expect(block.answer).to_have_text("Chlorophyll.")


def test_what_content_rules_stopped_cannot_be_continued(block, make_scope, provider):
    make_scope()
    provider.then(answer("A leaf", "content_filter"))
    block.open()
    block.button("AI summary").click()
    expect(block.root.get_by_role("note")).to_have_text(FILTERED)
    expect(block.button("Continue")).to_have_count(0)


@pytest.mark.parametrize(
    ("steps", "place", "said"),
    [
        pytest.param([REFUSAL], "note", DECLINED, id="declined"),
        pytest.param([TOO_LONG], "note", LONGER, id="too long"),
        pytest.param([NOTHING, NOTHING], "alert", EMPTY, id="empty, also when asked again"),
        pytest.param([], "alert", "No answer was received.", id="empty, by an extension"),
    ],
)
def test_no_answer_is_not_silent(block, make_scope, provider, steps, place, said):
    make_scope()
    block.open()
    provider.then(*steps)
    if not steps:
        empty = {"response": " \n", "status": "completed"}
        block.page.route("**/workflows/**", lambda route: route.fulfill(json=empty), times=1)
    button = block.button("AI summary")
    button.press("Enter")
    ending = getattr(block, place)
    expect(ending).to_have_text(said)
    expect(block.root.locator("[role=note] p, [role=alert] p")).to_have_count(1)
    expect(block.root.locator(".result-footer")).to_be_hidden()
    if place == "note":  # an alert speaks by itself
        expect(block.root.get_by_role("log")).to_have_text(f"Summary: {said}")
    expect(button).to_be_focused()
    assert [name for name, _detail in block.heard(1)] == ["error"]
    block.button("Try again").press("Enter")
    expect(block.answer).to_have_text("Hello from the model.")
    expect(ending).to_have_count(0)


def test_a_chat_goes_on_where_it_was_cut_off(block, chat, provider):
    provider.then(answer("Chloro", "length"), answer("phyll takes", "length"), answer("red light."))
    field, more = chat.get_by_role("textbox"), chat.get_by_role("button", name="Continue")
    field.fill(WHY)
    field.press("Enter")
    expect(chat.get_by_role("log")).to_have_text(f"Tutor: Chloro {CUT_OFF}")
    field.fill("A draft")
    more.press("Enter")
    expect(chat.locator(".message").last).to_contain_text("phyll takes")
    expect(more).to_have_count(1)
    expect(field).to_be_focused()
    expect(field).to_have_value("A draft")
    cut = ["Tutor Hello.", f"You {WHY}", f"Tutor Chloro {CUT_OFF}", "You Please continue."]
    assert messages_of(chat) == [*cut, f"Tutor phyll takes {CUT_OFF} Continue"]
    assert provider.requests[-1]["messages"][-1] == from_learner("Please continue.")

    block.page.reload()
    block.root.locator("button.open").click()
    expect(more).to_be_visible()
    assert messages_of(chat) == [*cut, f"Tutor phyll takes {CUT_OFF} Continue"]
    more.click()
    expect(chat.locator(".message").last).to_contain_text("red light.")
    expect(more).to_have_count(0)
    said = [each["content"] for each in provider.requests[-1]["messages"]]
    assert CUT_OFF not in json.dumps(said)


@pytest.mark.parametrize(
    ("step", "said", "is_error"),
    [
        pytest.param(REFUSAL, DECLINED, False, id="declined"),
        pytest.param(TOO_LONG, LONGER, False, id="too long"),
        pytest.param(Wire((text("Because"),)), BROKEN, True, id="broken off"),
        pytest.param(Wire((text("Because "),) * 1000, pause=0.1), "Stopped.", False, id="stopped"),
    ],
)
def test_a_chat_says_how_an_answer_ended_at_once_and_later(block, chat, provider, step, said, is_error):
    provider.then(step)
    field, note = chat.get_by_role("textbox"), chat.get_by_role("note")
    field.fill(WHY)
    field.press("Enter")
    if said == "Stopped.":
        expect(chat.locator(".message").last).to_contain_text("Because")
        chat.get_by_role("button", name="Stop").click()
    for visit in range(2):
        expect(note).to_have_text(f"{said}Try again")
        assert ("error" in note.get_attribute("class").split()) == is_error
        if visit == 0:
            expect(field).to_be_focused()
            # The server may notice only later that the answer was stopped.
            eventually(lambda: any(part.get("code") for stored in Submission.objects.all() for part in stored.answer))
            block.page.reload()
            block.root.locator("button.open").click()
    chat.get_by_role("button", name="Try again").press("Enter")
    expect(chat.locator(".message").last).to_contain_text("Hello from the model.")
    expect(field).to_be_focused()
