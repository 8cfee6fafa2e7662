"""The profile page in a real browser: typing, hearing what is wrong, going there, and going back to what was."""

import pytest

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowSession
from tests.browser import in_a_browser

BASE = "/admin/openedx_ai_extensions/aiworkflowprofile"
LONG = "{\n" + "  // a comment\n" * 40 + "  processor_config: {\n    LLMProcessor: { stream: 'yes' },\n  },\n}\n"
pytestmark = [
    *in_a_browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def page(browser, live_server, admin_user):
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, base_url=live_server.url)
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(f"/admin/login/?next={BASE}/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()
    yield page
    page.close()
    assert page.problems == []


def test_a_patch_is_checked_while_it_is_typed(page, make_scope, learner, provider):
    scope = make_scope()
    AIWorkflowSession.objects.create(user=learner, scope=scope, profile=scope.profile)
    page.goto(f"{BASE}/{scope.profile.pk}/change/")
    summary = page.locator("#aiext-summary")
    assert summary.inner_text() == "Everything is in order."
    patch = page.get_by_label("Patch (JSON5)")
    patch.fill(LONG)
    page.get_by_text("1 error.").wait_for()
    assert summary.get_attribute("role") == "status"
    assert "This cannot be saved." in page.locator("#aiext-change").inner_text()
    numbers = page.locator(".aiext-gutter span")
    assert numbers.count() == LONG.count("\n") + 1

    # With the keyboard, from the problem to its place.
    page.get_by_role("button", name="line 43, column 21").focus()
    page.keyboard.press("Enter")
    selected = (
        "document.activeElement.value.slice(...['selectionStart', 'selectionEnd'].map(n => document.activeElement[n]))"
    )
    assert page.evaluate(selected) == "stream: 'yes' },"
    page.keyboard.type("stream: false },")
    page.get_by_text("A save changes what the workflow does.").wait_for()
    assert summary.inner_text() == "Everything is in order."
    assert page.locator("tr.aiext-differs .aiext-added").inner_text().split() == [
        "12",
        "+",
        "changed",
        "to",
        '"stream":',
        "false",
    ]

    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert not page.locator(".aiext-left.aiext-same").first.is_visible()

    page.get_by_role("button", name="Save and continue editing").click()
    assert "1 session was used" in page.locator(".messagelist").inner_text()
    assert "stream: false" in AIWorkflowProfile.objects.get().content_patch


def test_a_page_that_grows_while_a_button_is_pressed_loses_no_click(page, make_scope, provider):
    profile = make_scope(patch="").profile
    page.goto(f"{BASE}/{profile.pk}/change/")
    patch = (
        "{processor_config: {LLMProcessor: {prompt: 'Be brief.', stream: false, options: {max_tokens: 90, seed: 1}}}}"
    )
    save = page.get_by_role("button", name="Save and continue editing")
    with page.expect_response("**/validate/"):
        page.get_by_label("Patch (JSON5)").fill(patch)
        save.hover()
        page.mouse.down()
        pressed = save.bounding_box()
    page.wait_for_timeout(300)
    assert save.bounding_box() == pressed
    with page.expect_navigation():
        page.mouse.up()
    assert AIWorkflowProfile.objects.get().content_patch == patch


def test_picking_a_template_and_restoring_a_version(page, make_scope, provider):
    profile = make_scope(patch="// as it was\n{}").profile
    page.goto(f"{BASE}/{profile.pk}/change/")
    page.locator("select[name=base_filepath]").select_option("base/chat.json5")
    page.get_by_text("A tutor in a sidebar: a conversation").first.wait_for()
    source = page.locator("#aiext-template summary")
    source.focus()
    page.keyboard.press("Enter")
    assert "// What the model may look up by itself" in page.locator("#aiext-template pre").inner_text()
    page.get_by_role("button", name="Save and continue editing").click()

    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="Version 1").click()
    page.get_by_role("link", name="Restore this version").click()
    page.get_by_role("button", name="Restore version 1").click()
    assert "Version 1 is restored." in page.locator(".messagelist").inner_text()
    assert AIWorkflowProfile.objects.get().base_filepath == "base/summary.json5"
