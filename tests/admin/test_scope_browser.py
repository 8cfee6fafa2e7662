"""Scopes in a real browser: a pattern tried while it is typed, "Why here?", and a file that is looked at first."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from openedx_ai_extensions.models import AIPause, AIWorkflowScope
from openedx_ai_extensions.workflows import unmatched_slots
from tests.browser import in_a_browser
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

pytestmark = [
    *in_a_browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.once,
]
SCOPES = "/admin/openedx_ai_extensions/aiworkflowscope/"
FILE = "format: openedx-ai-extensions\nversion: 1\nprompts:\n- slug: tutor\n  body: |\n    Be kind.\n    Be short.\n"


@pytest.fixture
def page(browser, live_server, admin_user):
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, base_url=live_server.url)
    page.goto(SCOPES)
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()
    yield page
    page.close()


@pytest.fixture
def shot(page, tmp_path):
    """Light, dark and narrow: nothing is wider than the screen."""
    folder = Path(os.environ.get("SHOTS", tmp_path))

    def take(name):
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=folder / f"{name}-dark.png", full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 320, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.screenshot(path=folder / f"{name}-narrow.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 1000})

    return take


def test_setting_up_scopes(page, shot, make_scope, learner, provider, tmp_path):
    unmatched_slots.forget()
    unmatched_slots.record("another-slot", "lms", COURSE_ID, learner.pk, lambda: True)
    make_scope(slug="older", course_id=None)
    make_scope()
    make_scope(slug="newer", location_regex="nowhere", enabled=False)
    make_scope(slug="twin")

    page.goto(f"{SCOPES}add/")
    page.get_by_label("Course ids").fill(f"{COURSE_ID}\ncourse-v1:Org+Two+1")
    page.get_by_role("textbox", name="Location pattern").press_sequentially("unit_sunl")
    status = page.get_by_role("status")
    status.get_by_text("The pattern matches 1 of").wait_for()
    assert page.get_by_role("list", name="Locations that match").get_by_role("listitem").count() == 1
    shot("scope-add")
    page.get_by_role("textbox", name="Location pattern").press_sequentially("(")
    status.get_by_text("not a valid regular expression").wait_for()

    page.goto(f"{SCOPES}locations/?course_id={quote(COURSE_ID)}&location_regex=vertical")
    shot("scope-locations")

    AIPause.objects.create(message="Back on Monday")
    page.goto(SCOPES)
    page.get_by_role("link", name="Why here?").click()
    page.get_by_label("Widget slot").fill(SLOT)
    page.get_by_label("Course id").fill(COURSE_ID)
    page.get_by_label("Location", exact=True).fill(UNIT_ID)
    page.get_by_label("Username").fill("learner")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="What the widget gets").wait_for()
    assert page.get_by_role("cell", name="older than the scope").count() == 1
    shot("why")

    page.goto(f"{SCOPES}transfer/")
    shot("transfer")
    (tmp_path / "file.yaml").write_text(FILE, "utf-8")
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "file.yaml")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("New: Prompt tutor").click()
    shot("transfer-plan")
    page.get_by_role("button", name="Import").click()
    assert "Imported: 1 created" in page.locator(".messagelist").inner_text()
    assert AIWorkflowScope.objects.count() == 4
