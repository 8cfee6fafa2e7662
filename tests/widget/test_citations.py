"""Citations in answers: small numbered links, with the passage while they are pointed at or focused."""

from __future__ import annotations

import re

import pytest

from tests.api.conftest import Api
from tests.browser import in_a_browser
from tests.workflows.conversations.conftest import JSON

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
UNIT = "Sunlight, water and air"


@pytest.fixture
def labels(learner, provider):
    """The labels that a model sees at this place."""

    def read() -> list[str]:
        assert Api(learner).run("Why?", headers=JSON).status_code == 200
        return re.findall(r"【(\d{5})】", provider.requests[-1]["messages"][0]["content"])

    return read


@pytest.fixture
def question(block, make_scope):
    make_scope(base_filepath="base/ask.json5")

    def ask() -> None:
        block.open()
        box = block.root.get_by_role("textbox")
        box.fill("Why leaves?")
        box.press("Enter")
        expect(block.button("Ask")).to_be_visible()

    return ask


def marks(block):
    return block.answer.locator(".citation")


def test_they_stand_where_the_model_set_them(block, question, labels, provider):
    one, two = labels()[:2]
    said = (
        f"**Leaves are green.** 【{one}】 And:\n\n- thin 【{two}】,\n- flat【{one}】\n\n| A |\n|---|\n| x【{two}】 |\n"
    )
    provider.reply([said[at : at + 7] for at in range(0, len(said), 7)])
    question()
    expect(marks(block)).to_have_text(["1", "2", "1", "2"])
    expect(block.answer.locator("p strong")).to_have_text("Leaves are green.")
    expect(block.answer.locator("li").first).to_have_text("thin2,")
    expect(block.answer.locator("td")).to_have_text("x2")
    first = block.root.get_by_role("link", name=f"Source 1: {UNIT}").first
    assert "unit_sunlight" in first.get_attribute("href")
    assert first.get_attribute("target") == "_blank"


def test_the_passage_is_shown_to_pointer_and_keyboard(block, question, labels, provider):
    provider.reply(f"Leaves 【{labels()[0]}】.")
    question()
    tip = block.root.get_by_role("tooltip")
    expect(tip).to_be_hidden()
    marks(block).hover()
    expect(tip).to_contain_text("You eat; a sunflower does not.")
    tip.hover()
    block.page.wait_for_timeout(400)
    expect(tip).to_be_visible()
    block.page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    marks(block).focus()
    expect(tip).to_contain_text(UNIT)
    assert marks(block).get_attribute("aria-describedby") == tip.get_attribute("id")
    block.page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    expect(marks(block)).to_be_focused()
    expect(marks(block)).to_have_accessible_name(f"Source 1: {UNIT}")


def test_those_in_code_and_formulas_follow_at_the_end(block, question, labels, provider):
    one, two, three = labels()[:3]
    provider.reply(f"Run `x = 1【{one}】` and \\(a【{two}】 + b\\), then\n\n```\ny【{three}】\n```\n")
    question()
    expect(marks(block)).to_have_text(["1", "2", "3"])
    assert block.answer.locator("code").all_inner_texts() == ["x = 1", "y\n"]
    expect(block.answer.locator(".formula")).to_have_attribute("data-source", "\\(a + b\\)")


def test_they_come_back_with_the_page(block, question, labels, provider):
    provider.reply(f"Leaves 【{labels()[0]}】.")
    question()
    expect(marks(block)).to_have_text("1")
    block.open()
    expect(block.root.get_by_text("Answered:")).to_be_visible()
    expect(marks(block)).to_have_text("1")


def test_in_a_conversation(block, make_scope, labels, provider):
    make_scope(base_filepath="base/chat.json5")
    one = labels()[0]
    provider.reply([f"Leaves 🌱 are 【{one[:3]}", f"{one[3:]}】 green."])
    block.open()
    block.button("Ask the tutor").click()
    box = block.root.get_by_role("textbox")
    box.fill("Why?")
    box.press("Enter")
    answers = block.root.locator(".message.assistant .answer")
    expect(answers.last).to_have_text("Leaves 🌱 are1 green.")
    block.open()
    block.button("Ask the tutor").click()
    expect(answers.last).to_have_text("Leaves 🌱 are1 green.")
    answers.last.locator(".citation").focus()
    expect(block.root.get_by_role("tooltip")).to_be_visible()
    block.page.keyboard.press("Escape")
    expect(block.root.get_by_role("tooltip")).to_be_hidden()
    expect(answers.last).to_be_visible()  # the key closed the passage, not the chat


def test_on_a_narrow_page_in_arabic(block, question, labels, provider):
    provider.reply(f"الأوراق خضراء 【{labels()[0]}】.")
    block.page.set_viewport_size({"width": 320, "height": 500})
    block.open(page="lang=ar dir=rtl")
    box = block.root.get_by_role("textbox")
    box.fill("لماذا؟")
    box.press("Enter")
    marks(block).focus()
    tip = block.root.get_by_role("tooltip")
    expect(tip).to_be_visible()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    expect(marks(block)).to_have_accessible_name(re.compile("المصدر"))


def test_questions_to_ask_next(block, make_scope, provider):
    make_scope(base_filepath="base/chat.json5", model_greets=False)
    provider.reply("Green.\n\n【?】 Why green?\n【?】 And in autumn?")
    block.open()
    block.button("Ask the tutor").click()
    box = block.root.get_by_role("textbox")
    box.fill("Which colour?")
    box.press("Enter")
    questions = block.root.get_by_role("list", name="Suggested questions").get_by_role("button")
    expect(questions).to_have_text(["Why green?", "And in autumn?"])
    expect(block.root.locator(".message.assistant .answer").last).to_have_text("Green.")
    block.open()
    expect(questions).to_have_text(["Why green?", "And in autumn?"])
    provider.reply("Because of chlorophyll.")
    questions.first.click()
    expect(block.root.locator(".message.assistant .answer").last).to_have_text("Because of chlorophyll.")
    expect(questions).to_have_count(0)
