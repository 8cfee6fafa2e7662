"""The admin in a real browser: what an operator sees and types."""

import pytest

from openedx_ai_extensions.models import AIWorkflowProfile
from tests.browser import in_a_browser

pytestmark = in_a_browser


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    yield page
    page.close()


def test_an_operator_mends_a_bad_patch_and_saves(live_server, page, admin_user, provider, tmp_path):
    page.goto(f"{live_server.url}/admin/openedx_ai_extensions/aiworkflowprofile/add/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("admin")
    page.get_by_role("button", name="Log in").click()

    page.get_by_label("Slug").fill("unit-summary")
    page.get_by_label("Description").fill("Summaries for biology")
    page.get_by_label("Template").select_option("base/summary.json5")
    bad = "{\n  processor_config: {\n    LLMProcessor: { options: {temperature: 0.2},, }\n  }\n}"
    page.get_by_label("Patch (JSON5)").fill(bad)
    page.get_by_role("button", name="Save and continue editing").click()

    error = page.locator(".field-content_patch .errorlist")
    assert "line 3" in error.inner_text().lower()
    assert page.get_by_label("Patch (JSON5)").input_value() == bad
    page.screenshot(path=tmp_path / "error.png", full_page=True)

    page.get_by_label("Patch (JSON5)").fill(bad.replace(",,", ","))
    page.get_by_role("button", name="Save and continue editing").click()
    assert "was added successfully" in page.locator(".messagelist").inner_text()
    assert '"temperature": 0.2' in page.locator(".field-difference").inner_text()
    page.screenshot(path=tmp_path / "saved.png", full_page=True)
    assert AIWorkflowProfile.objects.get().slug == "unit-summary"
