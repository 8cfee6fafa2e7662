"""The admin in a real browser: what an operator sees and types."""

import os
from pathlib import Path

import pytest

from openedx_ai_extensions.models import AIWorkflowProfile

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}"),
]


@pytest.fixture
def page(monkeypatch):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    # Its synchronous interface runs an event loop in this thread, where Django would refuse the test's own queries.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 1400})
        browser.close()


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
    assert '"temperature": 0.2' in page.locator(".field-effective_configuration").inner_text()
    page.screenshot(path=tmp_path / "saved.png", full_page=True)
    assert AIWorkflowProfile.objects.get().slug == "unit-summary"
