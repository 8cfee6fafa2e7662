"""Trying a workflow out in a real browser: the answer arrives, can be stopped, and all works without scripts too."""

import os
from pathlib import Path
from urllib.parse import urlencode

import pytest

from openedx_ai_extensions.models import AIWorkflowRun
from tests.browser import in_a_browser
from tests.conftest import UNIT_ID
from tests.fakes.provider import CallTools, Say, ToolCall
from tests.waiting import eventually

HERE = urlencode({"location": UNIT_ID})
SHOTS = os.environ.get("SCREENSHOTS")
pytestmark = [
    *in_a_browser,
    pytest.mark.django_db(transaction=True),
]


def opened(browser, live_server, client, path: str, **options):
    """A page of the admin, for whoever the client has logged in."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, **options)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/openedx_ai_extensions/{path}")
    return page


def shot(page, name: str) -> None:
    """In light and dark, and on a narrow screen; it never scrolls sideways."""
    size = page.viewport_size
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}-320.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size)


def test_trying_a_workflow(live_server, browser, client, admin_user, learner, make_scope, provider):
    client.force_login(admin_user)
    patch = {"processor_config": {"LLMProcessor": {"enabled_tools": ["get_context"]}}}
    profile = make_scope(patch=patch).profile
    provider.then(CallTools(ToolCall("get_context")), Say("It is <b>green</b>."))
    page = opened(browser, live_server, client, f"aitryit/?profile={profile.pk}&person=learner&{HERE}")
    status = page.get_by_role("status")

    page.get_by_label("Message of the user").fill("Which colour?")
    page.get_by_label("The profile's provider").check()
    page.get_by_role("button", name="Try it").press("Enter")
    page.get_by_text("The answer is complete.").wait_for()
    assert page.locator("#aiext-answer").inner_text() == "It is <b>green</b>."
    assert page.get_by_text("Tool get_context: completed").is_visible()
    assert page.get_by_role("heading", name="Course text").is_visible()
    assert page.get_by_role("rowheader", name="Cost").is_visible()
    shot(page, "tryit")

    # Stopped: the provider is left, and the bill is for what was said.
    provider.reply(["word "] * 1000, delay=0.1)
    page.get_by_role("button", name="Try it").click()
    page.get_by_text("word word").wait_for()
    page.get_by_role("button", name="Stop").press("Enter")
    assert status.inner_text() == "Stopped."
    assert page.evaluate("document.activeElement.name") == "try"

    cancelled = AIWorkflowRun.objects.filter(action="try", outcome="cancelled")
    eventually(cancelled.exists)
    assert cancelled.get().completion_tokens > 0

    # What is wrong with the form is said, as without scripts.
    page.get_by_label("Username", exact=True).fill("nobody")
    page.get_by_role("button", name="Try it").click()
    page.get_by_text("There is no user with the username nobody.").wait_for()
    assert AIWorkflowRun.objects.filter(action="try").count() == 2


def test_without_scripts(live_server, browser, client, admin_user, make_scope, provider):
    client.force_login(admin_user)
    profile = make_scope(base_filepath="base/flashcards.json5").profile
    page = opened(
        browser, live_server, client, f"aitryit/?profile={profile.pk}&number=2&{HERE}",
        java_script_enabled=False,
    )  # fmt: skip
    page.get_by_role("button", name="Try it").click()
    assert page.get_by_role("status").inner_text() == "The answer is complete."
    assert page.locator(".aiext-items > li").count() == 2
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / "tryit-cards.png", full_page=True)


def test_health_and_the_models_view(live_server, browser, client, admin_user, learner, make_scope, provider):
    client.force_login(admin_user)
    make_scope()
    page = opened(browser, live_server, client, "aihealth/")
    page.get_by_role("button", name="Send default a test request").press("Enter")
    page.get_by_role("status").get_by_text("It answered within").wait_for()
    shot(page, "health")
    page.goto(f"{live_server.url}/admin/openedx_ai_extensions/aimodelview/")
    page.get_by_label("Location", exact=True).fill(UNIT_ID)
    page.get_by_label("Username", exact=True).fill("learner")
    page.get_by_label("Longest text").fill("400")
    page.get_by_role("button", name="Show").press("Enter")
    page.get_by_role("heading", name="What the model reads").wait_for()
    shot(page, "tryit-view")
