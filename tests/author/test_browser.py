"""An author's way through the pages in a real browser: with the keyboard, and on any screen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.utils import timezone, translation

from openedx_ai_extensions.models import AIPause, AnswerFeedback, PromptTemplate
from tests.accounting.ledger import a_run
from tests.author.conftest import Pages
from tests.browser import in_a_browser
from tests.rights.course import MAIN, key

SHOTS = os.environ.get("AUTHOR_SHOTS")  # a directory, for whoever wants to look
pytestmark = [
    *in_a_browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda message: _complain(page, message))
    yield page
    page.close()
    assert page.complaints == []


def _complain(page, message) -> None:
    if message.type == "error" and not message.location["url"].endswith("favicon.ico"):
        page.complaints.append(message.text)


@pytest.fixture
def scopes(courses, in_main, make_scope, provider, learner, site_message):
    PromptTemplate.objects.create(slug="tutor", body="You are a patient tutor.\nNever give the answer away.")
    patch = {"processor_config": {"LLMProcessor": {"prompt_template": "tutor"}}}
    chat = in_main("chat", base_filepath="base/chat.json5", patch=patch, slot="course-tutor")
    make_scope(slug="summary", course_id=None, slot="unit-summary")
    in_main("quiz", base_filepath="base/quiz.json5", slot="studio-quiz", service_variant="cms")
    cards = in_main(
        "flashcards", base_filepath="base/flashcards.json5", slot="unit-summary", location_regex="@(open|last)$"
    )
    AIPause.objects.create(course_id=MAIN, profile=cards.profile, message=site_message)
    for day in range(28):
        for number in range(day * 5 % 7):
            outcome = "refused" if number == 5 else "completed"
            a_run(
                user=learner,
                course_id=MAIN,
                days_ago=day,
                outcome=outcome,
                profile_slug=("chat", "summary")[number % 2],
            )
    give_feedback(learner, chat.profile)
    provider.reply(["Light is ", "**energy**."], delay=0.05)
    return chat


def give_feedback(person, profile) -> None:
    now = timezone.now()
    AnswerFeedback.objects.create(
        user=person, run_id="r1", course_id=MAIN, location_id=key("vertical/open"), profile=profile,
        profile_slug=profile.slug, profile_version=2, model="openai/gpt-fake", rating="down", reason="unclear",
        text="Why is it green?", reported=True, changed_at=now, answered_at=now,
    )  # fmt: skip


@pytest.fixture
def site_message():
    return "Flashcards are back after the exams."


def looked_at(page, name: str) -> None:
    """On a narrow screen, in the dark and from right to left; and what can be said of its accessibility by machine."""
    assert violations(page) == []
    for screen, width, scheme in (("light", 1100, "light"), ("dark", 1100, "dark"), ("320", 320, "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shot(page, f"{name}-{screen}")
        if screen == "dark" and name == "off":
            assert violations(page) == []
    page.set_viewport_size({"width": 1100, "height": 900})


def shot(page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"author-{name}.png", full_page=True)


def violations(page) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    return [f"{found['id']}: {found['nodes'][0]['html']}" for found in axe.run(page).response["violations"]]


def test_an_author_s_way(live_server, page, author, scopes):
    pages = Pages(author)
    session = pages.client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(live_server.url + pages.url())
    looked_at(page, "workflows")

    off = page.get_by_role("button", name="Turn off in this course “chat”")
    off.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Turn on in this course “chat”").wait_for()
    assert AIPause.objects.filter(is_of_course_staff=True, enabled=True).count() == 1
    looked_at(page, "off")
    page.get_by_role("button", name="Turn on in this course “chat”").click()
    off.wait_for()

    page.get_by_role("link", name="tutor").click()
    page.get_by_label("Prompt").fill("Answer in verse.")
    looked_at(page, "prompt")
    PromptTemplate.objects.update(body="Somebody else's words.")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    # The status of the answer says that there is a conflict, and the browser's console repeats it.
    page.complaints.clear()
    looked_at(page, "conflict")
    assert page.get_by_label("Prompt").input_value() == "Answer in verse."
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The prompt is saved.").wait_for()
    assert PromptTemplate.objects.get().body == "Answer in verse."

    page.get_by_role("link", name="Try it", exact=True).click()
    page.wait_for_url("**/try/")  # with its script: without it, the form would be sent as forms are
    page.get_by_label("What a learner says").fill("What is light?")
    page.get_by_role("button", name="Try it").focus()
    page.keyboard.press("Enter")
    page.get_by_text("The answer is complete.").wait_for()
    assert page.locator("#answer .answer").inner_text() == "Light is energy."
    assert page.locator("#answer strong").inner_text() == "energy"
    assert page.get_by_text("Tokens: ").is_visible()
    looked_at(page, "try")

    page.get_by_role("link", name="Usage").click()
    page.get_by_role("img", name="Requests per day").wait_for()
    looked_at(page, "usage")
    with translation.override("ar"):
        page.set_extra_http_headers({"Accept-Language": "ar"})
        page.reload()
        assert page.evaluate("document.documentElement.dir") == "rtl"
        shot(page, "usage-rtl")
        page.goto(live_server.url + pages.url())
        shot(page, "workflows-rtl")
        assert violations(page) == []


def test_an_author_replies_to_a_learner(live_server, page, author, scopes):
    pages = Pages(author)
    session = pages.client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(live_server.url + pages.url())
    page.get_by_role("link", name="Feedback").press("Enter")
    page.get_by_text("Why is it green?").wait_for()
    looked_at(page, "feedback")
    page.get_by_role("link", name="Read and reply").press("Enter")
    page.get_by_label("Note to the learner").fill("Because of the sun.")
    looked_at(page, "reply")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_text("There is no feedback in this state.").wait_for()
    assert AnswerFeedback.objects.get().note == "Because of the sun."
    page.set_extra_http_headers({"Accept-Language": "ar"})
    page.goto(f"{live_server.url}{pages.url('feedback')}?state=answered")
    assert page.evaluate("document.documentElement.dir") == "rtl"
    shot(page, "feedback-rtl")
    assert violations(page) == []
