"""A transcript in a real browser: read with the keyboard alone, on any screen, in any direction of writing."""

import pytest
from django.contrib.admin.models import LogEntry

from openedx_ai_extensions.models import AIWorkflowSession
from tests.browser import in_a_browser
from tests.fakes.steps import CallTools, Say, ToolCall
from tests.workflows.conversations.conftest import CHAT, Chat

pytestmark = [
    *in_a_browser,
    pytest.mark.django_db(transaction=True),
]
HEBREW = "שלום, מה זה chlorophyll?"


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    yield page
    page.close()


@pytest.fixture
def session(learner, provider, make_scope, settings) -> AIWorkflowSession:
    entry = settings.AI_EXTENSIONS["default"]
    settings.AI_EXTENSIONS = {"default": {**entry, "CAPABILITIES": {"keeps_threads": True}}}
    tools = {"processor_config": {"LLMProcessor": {"enabled_tools": ["roll_dice"]}}}
    make_scope(base_filepath=CHAT, slug="chat", patch=tools)
    chat = Chat(learner)
    provider.reply(
        "Leaves are green because of chlorophyll.\n\n1. It absorbs red and blue light.\n2. It reflects green."
    )
    chat.answer("Why are leaves green?")
    provider.then(CallTools(ToolCall("roll_dice", {"sides": 6}), text="Let me see."), Say("You rolled a four."))
    chat.answer("Roll a die for me!")
    provider.reply("W" * 400 + " <b>not bold</b> for $5, as \\(E = mc^2\\) and `$x$`")
    chat.answer(HEBREW)
    provider.reply(["It begins ", "well but"])
    provider.cut_after(1)
    chat.stream("Tell me a long story.")
    return chat.session


def test_reading_a_transcript_with_the_keyboard(live_server, page, admin_user, session, tmp_path):
    page.goto(f"{live_server.url}/admin/openedx_ai_extensions/aiworkflowsession/{session.pk}/change/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()

    transcript = page.get_by_role("region", name="Transcript")
    assert transcript.get_by_role("link", name="This site").get_attribute("aria-current") == "page"
    assert "Interrupted: the answer is not complete" in transcript.inner_text()
    question = transcript.get_by_text(HEBREW)
    assert question.evaluate("element => getComputedStyle(element).direction") == "rtl"
    formula = transcript.locator("math annotation")
    formula.wait_for(state="attached")
    assert formula.text_content() == "E = mc^2"
    assert "for $5, as" in transcript.inner_text()
    assert "`$x$`" in transcript.inner_text()
    page.screenshot(path=tmp_path / "session.png", full_page=True)

    call = transcript.locator("summary", has_text="Calls roll_dice").first
    call.focus()
    page.keyboard.press("Enter")
    assert '"sides": 6' in transcript.inner_text()
    combined = transcript.get_by_role("link", name="Combined")
    combined.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**thread=combined**")
    assert "On this site and at the provider" in transcript.inner_text()
    page.screenshot(path=tmp_path / "combined.png", full_page=True)

    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.screenshot(path=tmp_path / "narrow.png", full_page=True)
    assert LogEntry.objects.count() == 2
