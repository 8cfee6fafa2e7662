"""The widget over templates of others, in the published shape: every pair of components, with the keys as given."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from openedx_ai_extensions.models import AIWorkflowSession
from tests.browser import in_a_browser
from tests.conftest import SLOT
from tests.fakes.steps import Say
from tests.processors.openedx.quiz import choices, question
from tests.widget.conftest import TOKEN
from tests.workflows.educator.conftest import five, library, reply
from tests.workflows.educator.library import KEY
from tests.workflows.flashcards.conftest import cards

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

__all__ = ["library"]

pytestmark = in_a_browser
SHOTS = os.environ.get("SHOTS")  # a folder for pictures, where somebody wants to look
WORKS_ON = {
    "DirectLLMResponse": {"LLMProcessor": {"function": "summarize_content", "provider": "default", "stream": False}},
    "ThreadedLLMResponse": {
        "LLMProcessor": {"function": "chat_with_context", "provider": "default", "stream": False},
        "SubmissionProcessor": {"max_context_messages": 2},
    },
    "EducatorAssistantOrchestrator": {
        "EducatorAssistantProcessor": {"function": "generate_quiz_questions", "provider": "default"}
    },
    "FlashCardsOrchestrator": {"LLMProcessor": {"function": "generate_flashcards", "provider": "default"}},
}
LONG = "A message that somebody wrote for a page that is as wide as a desk, so that it goes on, and on, and on."


def template(orchestrator: str, request: str, asked: dict[str, Any], response: str, answered: dict[str, Any]) -> str:
    components = {
        "request": {"component": request, "config": asked},
        "response": {"component": response, "config": answered},
    }
    reads = {"OpenEdXProcessor": {"function": "get_location_content", "char_limit": 5000}}
    return json.dumps(
        {
            "schema_version": "1.0",
            "orchestrator_class": orchestrator,
            "processor_config": {**reads, **WORKS_ON[orchestrator]},
            "actuator_config": {"UIComponents": components},
        }
    )


PRESS = {"buttonText": "Condense this page", "customMessage": LONG, "action": None}
BOX = ("AIRequestComponent", PRESS, "AIResponseComponent", {"customMessage": "In short:"})
CHAT = ("AIRequestComponent", PRESS, "AISidebarResponse", {"customMessage": LONG})
ASKED = {"titleText": "Problems for your library", "preloadPreviousSession": True}
SAVED = {"titleText": "All done", "customMessage": LONG, "hyperlinkText": "Open them ›"}
QUIZ = ("LibraryProblemCreator", ASKED, "LibraryProblemCreatorResponse", SAVED)
MAKE = {"buttonText": "Write cards", "customMessage": LONG, "preloadPreviousSession": True}
CARDS = ("FlashcardCreator", MAKE, "FlashcardStudyResponse", {"customMessage": "Turn each card over."})
NOTHING_BEFORE = {"actuator_config": {"UIComponents": {"request": {"config": {"preloadPreviousSession": False}}}}}


@pytest.fixture
def show(block, make_scope, settings, tmp_path) -> Callable[..., Any]:
    """Show a workflow of a template of others, to a person."""

    def show(orchestrator: str, components: tuple[Any, ...], user: Any, patch: Any = None) -> Any:
        folder = tmp_path / "foreign"
        folder.mkdir()
        (folder / "theirs.json").write_text(template(orchestrator, *components))
        settings.WORKFLOW_TEMPLATE_DIRS = [folder]
        make_scope(base_filepath="theirs.json", patch=patch or {})
        client = Client()
        client.force_login(user)
        session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": block.url}
        block.page.context.add_cookies([session, {"name": "csrftoken", "value": TOKEN, "url": block.url}])
        block.open(SLOT, page='lang="en"')
        block.root.locator(".card").wait_for()
        return block

    return show


def look(block, name: str) -> None:
    """Nothing is wider than the page, at both widths."""
    before = block.page.viewport_size
    for width in (1000, 320):
        block.page.set_viewport_size({"width": width, "height": 720})
        assert block.page.evaluate("document.documentElement.scrollWidth") <= width
        if SHOTS:
            block.page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)
    block.page.set_viewport_size(before)


def test_a_button_and_a_box(show, learner, provider):
    block = show("DirectLLMResponse", BOX, learner)
    provider.reply("Plants **make** sugar.")
    expect(block.root).to_contain_text(LONG)
    expect(block.root.get_by_role("textbox")).to_have_count(0)
    look(block, "box-before")
    block.button("Condense this page").click()
    expect(block.root.get_by_role("heading", name="In short:")).to_be_visible()
    expect(block.answer).to_have_text("Plants make sugar.")
    look(block, "box")


def test_a_box_over_a_conversation_shows_the_last_answer(show, learner, provider):
    block = show("ThreadedLLMResponse", BOX, learner)
    provider.reply("Hello from **before**.")
    for _visit in range(2):
        block.button("Condense this page").click()
        expect(block.answer).to_have_text("Hello from before.")
        block.page.reload()
    assert len(provider.requests) == 1


def test_a_chat(show, learner, provider):
    block = show("ThreadedLLMResponse", CHAT, learner)
    provider.reply("Hello, I am a tutor.")
    block.button("Condense this page").click()
    drawer = block.root.get_by_role("dialog")
    expect(drawer.get_by_role("heading", name=LONG)).to_be_visible()
    messages = drawer.locator(".message")
    expect(messages).to_have_text(["TutorHello, I am a tutor."])
    field = drawer.get_by_role("textbox")
    for number in range(2):
        provider.reply(f"Answer {number}.")
        field.fill(f"Question {number}?")
        field.press("Enter")
        expect(messages.last).to_contain_text(f"Answer {number}.")
    look(block, "chat")
    block.page.reload()
    block.button("Condense this page").click()
    expect(messages.last).to_contain_text("Answer 1.")
    expect(drawer).not_to_contain_text("{")
    drawer.get_by_role("button", name="Show earlier messages").click()
    expect(messages.locator(".content, .answer")).to_have_text(["Question 0?", "Answer 0.", "Question 1?", "Answer 1."])
    look(block, "chat-reopened")
    drawer.get_by_role("button", name="Show earlier messages").click()
    expect(messages.first).to_contain_text("Hello, I am a tutor.")
    assert len(provider.requests) == 3


def test_quiz_questions(show, author, provider, library):
    block = show("EducatorAssistantOrchestrator", QUIZ, author)
    odd = question(
        display_name="A <b> in the title",
        choices=choices(("The <a> element", True, "a < b & c"), ("The <p> element", False, "List<String>")),
        explanation="Because <a> is &lt;a&gt;.",
        demand_hints=["Think of <em>."],
    )
    provider.always(Say(reply(odd, *five()[1:])))
    summary = block.root.get_by_role("heading", name="Problems for your library")
    summary.click()
    block.root.get_by_label("How many questions?").fill("5")
    block.button("Write questions").click()
    cards_shown = block.root.locator(".question-card")
    expect(cards_shown).to_have_count(5)
    first = cards_shown.first
    first.get_by_text("Explanation and hints").click()
    for text in ("The <a> element", "a < b & c", "List<String>", "Because <a> is <a>.", "Think of <em>."):
        expect(first.get_by_text(text)).to_be_visible()
    look(block, "quiz")
    block.page.reload()
    summary.click()
    expect(cards_shown).to_have_count(5)
    block.root.get_by_label("Content library").fill(KEY)
    block.button("Save 5 questions").click()
    expect(block.root.get_by_role("heading", name="All done")).to_be_visible()
    expect(block.root).to_contain_text(LONG)
    link = block.root.get_by_role("link", name="Open them ›")
    expect(link).to_be_focused()
    [key] = library.collections
    assert link.get_attribute("href") == f"/authoring/library/{KEY}/collection/{key}"
    assert len(library.problems) == 5
    look(block, "quiz-saved")


def test_flashcards(show, learner, provider):
    block = show("FlashCardsOrchestrator", CARDS, learner)
    provider.always(Say(cards("One?", "Two?")))
    summary = block.root.get_by_role("heading", name="Flashcards")
    summary.click()
    expect(block.root).to_contain_text(LONG)
    look(block, "cards-before")
    block.button("Write cards").click()
    card = block.root.locator(".flashcard")
    expect(card).to_contain_text("One?")
    expect(block.root).to_contain_text("Turn each card over.")
    expect(block.root).not_to_contain_text(LONG)
    block.page.reload()
    summary.click()
    expect(card).to_contain_text("One?")
    card.click()
    expect(card).to_contain_text("Answer to One?")
    look(block, "cards")


def test_flashcards_that_begin_anew_at_each_visit(show, learner, provider):
    block = show("FlashCardsOrchestrator", CARDS, learner, NOTHING_BEFORE)
    provider.then(Say(cards("One?")), Say(cards("Two?")))
    for asked in ("One?", "Two?"):
        block.root.get_by_role("heading", name="Flashcards").click()
        expect(block.button("Write cards")).to_be_visible()
        expect(block.root).to_contain_text(LONG)
        expect(block.root.locator(".flashcard")).to_be_hidden()
        block.button("Write cards").click()
        expect(block.root.locator(".flashcard")).to_contain_text(asked)
        block.page.reload()
    [session] = AIWorkflowSession.objects.all()
    assert "One?" in json.dumps(session.metadata)


def test_quiz_questions_that_begin_anew_at_each_visit(show, author, provider, library):
    block = show("EducatorAssistantOrchestrator", QUIZ, author, NOTHING_BEFORE)
    provider.always(Say(reply(*five()[:3])))
    for _visit in range(2):
        block.root.get_by_role("heading", name="Problems for your library").click()
        expect(block.root.locator(".question-card")).to_have_count(0)
        block.button("Write questions").click()
        expect(block.root.locator(".question-card")).to_have_count(3)
        block.page.reload()


OLD = [
    pytest.param("DirectLLMResponse", "AIQuestionComponent", "AIResponseComponent", ".question-form textarea",
                 id="question"),
    pytest.param("ThreadedLLMResponse", "AISidebarChatComponent", "AISidebarChatComponent", "button.open", id="chat"),
    pytest.param("FlashCardsOrchestrator", "AIFlashcardsRequest", "AIFlashcardsResponse", ".disclosure",
                 id="flashcards"),
    pytest.param("EducatorAssistantOrchestrator", "AIEducatorLibraryAssistComponent",
                 "AIEducatorLibraryResponseComponent", ".disclosure", id="quiz"),
]  # fmt: skip


@pytest.mark.parametrize(("orchestrator", "request_name", "response_name", "part"), OLD)
def test_names_of_earlier_versions_are_understood(show, author, orchestrator, request_name, response_name, part):
    block = show(orchestrator, (request_name, {}, response_name, {}), author)
    expect(block.root.locator(part)).to_be_visible()
