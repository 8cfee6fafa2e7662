"""The quickstart, walked in a real browser with the words and values that it says itself.

With ``DEMO=http://…`` it walks a demo that runs already. With ``SCREENSHOTS=docs/_static`` it takes the quickstart's
pictures, of whatever model answers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from django.conf import settings as site
from PIL import Image

from tests.browser import in_a_browser
from tests.e2e.conftest import Demo
from tests.e2e.panels import widget

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [*in_a_browser, pytest.mark.once]
TEXT = (site.REPO / "docs" / "quickstart.rst").read_text(encoding="utf-8")
PATCH = dedent(re.search(r"code-block:: javascript\n\n((?: {5}.*\n|\n)+)", TEXT)[1]).strip()
STEP_2 = TEXT.partition("2. Be a learner")[2].partition(".. image")[0]
FIRST_PORT = 8990
RUNNING = os.environ.get("DEMO")
SHOTS = os.environ.get("SCREENSHOTS")
KEYS = ("AI_EXTENSIONS", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")


def says(field: str) -> str:
    """The value that the quickstart gives for a field of a form."""
    return re.search(rf"^\* {field}: .*?(?:``|\*)([^`*]+)(?:``|\*)$", TEXT, re.MULTILINE)[1]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """The demo as somebody starts it who has no key."""
    if RUNNING:
        yield RUNNING
        return
    environment = {name: value for name, value in os.environ.items() if name not in KEYS} | {
        "AI_EXTENSIONS_DEMO_DIR": str(tmp_path_factory.mktemp("demo")),
        "DJANGO_SETTINGS_MODULE": "openedx_ai_extensions.demo.settings",
    }
    command = [sys.executable, "-u", "-m", "openedx_ai_extensions.demo", "--port", str(FIRST_PORT)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            addresses = (re.search(r"http://[\d.]+:\d+", line) for line in process.stdout)
            yield next(address[0] for address in addresses if address)
        finally:
            process.terminate()


@pytest.fixture
def demo(address) -> Demo:
    return Demo(address, None)


def shot(page, name: str, what: str = "body") -> None:
    """A picture of ``what`` and as much around it as fits, with few colours, to keep the repository small."""
    if SHOTS:
        page.locator(what).evaluate("found => found.scrollIntoView({block: 'end'})")
        path = Path(SHOTS) / f"quickstart-{name}.png"
        page.screenshot(path=path)
        Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)


def add(page, what: str) -> None:
    """In the administration, press the ``Add`` next to this."""
    page.get_by_role("link", name="Administration").or_(page.get_by_role("link", name="Home")).first.click()
    page.get_by_role("row", name=what).get_by_role("link", name="Add").click()
    page.wait_for_url("**/add/**")  # with its scripts


def be(page, name: str) -> None:
    if page.get_by_role("button", name="Change person").count():
        page.get_by_role("button", name="Change person").click()
    page.get_by_role("button", name=name, exact=True).click()


def test_the_quickstart_leads_where_it_says(page, demo):  # noqa: PLR0915  # as many steps as the text has
    page.set_viewport_size({"width": 1100, "height": 760})
    page.route("**/favicon.ico", lambda route: route.fulfill(status=204))  # the administration has none
    page.goto(demo.url)

    # Be a learner.
    be(page, "learner")
    for what, name in re.findall(r"(open|press) \*\*([^*]+)\*\*", STEP_2, re.IGNORECASE):
        found = page.locator("button:visible, summary:visible").filter(has_text=name).first
        expect(found).to_be_visible()
        if what == "Open":
            found.click()
    widget(page).get_by_role("button", name="AI summary").click()
    expect(widget(page).locator(".card-body")).to_have_attribute("aria-busy", "false")
    expect(widget(page).locator(".answer")).not_to_be_empty()
    shot(page, "learner", "h1")
    page.get_by_role("link", name="From carbon dioxide to sugar").click()
    expect(widget(page).get_by_role("button")).to_have_text(["Ask the AI"])

    # Make a profile.
    be(page, "admin")
    add(page, "AI workflow profiles")
    page.get_by_label("Slug").fill(says("Slug"))
    page.get_by_role("combobox", name="Template").select_option(says("Template"))
    page.get_by_label("Patch (JSON5)").fill(PATCH)
    save = page.get_by_role("button", name="Save and continue editing")
    save.click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    expect(page.locator("#aiext-difference")).to_contain_text("Exam questions")
    shot(page, "profile", "#aiext-difference tr:nth-child(12)")
    page.get_by_label("Patch (JSON5)").fill(PATCH.removesuffix("}"))
    save.click()
    expect(page.locator(".errornote")).to_be_visible()
    expect(page.locator(".errorlist")).to_contain_text(re.compile(r"line \d+", re.IGNORECASE))
    page.get_by_label("Patch (JSON5)").fill(PATCH)
    expect(page.locator("#aiext-summary")).to_have_text("Everything is in order.")
    save.click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()

    # Show it on one unit.
    add(page, "AI workflow scopes")
    page.locator(".field-profile .select2-selection").click()
    page.locator(".select2-search__field").fill(says("Profile"))
    page.locator(".select2-results__option", has_text=says("Profile")).click()
    page.get_by_label("Service").select_option(label=says("Service"))
    page.get_by_label("Widget slot").fill(says("Widget slot"))
    page.get_by_label("Course ids").fill(says("Course ids"))
    page.get_by_role("textbox", name="Location pattern").fill(says("Location pattern"))
    expect(page.locator("#aiext-pattern-result details").first.get_by_role("listitem")).to_have_count(1)
    shot(page, "scope", "#aiext-pattern-result")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()

    # Look.
    page.get_by_role("link", name="View site").click()
    expect(widget(page).get_by_role("button", name="AI summary")).to_be_visible()
    page.get_by_role("navigation", name="Units").get_by_role("link").nth(1).click()
    widget(page).get_by_role("button", name="Exam questions").click()
    expect(widget(page).locator(".card-body")).to_have_attribute("aria-busy", "false")
    expect(widget(page).locator(".answer")).not_to_be_empty()

    # See what it took.
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("link", name="AI usage report").click()
    page.get_by_label("Group by").select_option(label="Profile")
    page.get_by_role("button", name="Show").click()
    row = page.get_by_role("row", name=says("Slug"))
    expect(row.get_by_role("cell").first).to_have_text(re.compile(r"0\.0\d*[1-9]\d* USD"))
    shot(page, "usage", "table.aiext-table")
