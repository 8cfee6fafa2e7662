"""The widget is light or dark as the page around it, whatever the person's system prefers."""

from __future__ import annotations

import pytest

from tests.browser import in_a_browser

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = in_a_browser
LIGHT, DARK = "rgb(245, 247, 250)", "rgb(31, 40, 50)"  # of a card
BOTH = ":root { color-scheme: light dark; }"
TOGGLED = "body { transition: background-color 0.2s; background: #fff; } .dark body { background: #111; }"


@pytest.fixture
def card(block, make_scope):
    """Open a page with this style sheet; returns the widget's card."""
    make_scope()

    def open_page(css: str, prefers: str, **attributes: str):
        page = block.page
        page.emulate_media(color_scheme=prefers)
        page.route("**/page.css", lambda route: route.fulfill(body=css, content_type="text/css"))
        block.open(head='<link rel="stylesheet" href="/page.css">', **attributes)
        return block.root.locator(".card")

    return open_page


@pytest.mark.parametrize(
    ("css", "prefers", "colour"),
    [
        pytest.param("", "dark", LIGHT, id="a page that says nothing"),
        pytest.param("body { background: #fff; }", "dark", LIGHT, id="a light background"),
        pytest.param("body { background: #12181f; }", "light", DARK, id="a dark background"),
        pytest.param(":root { background: oklch(0.2 0.02 250); }", "light", DARK, id="a dark background of the root"),
        pytest.param("main { background: color(display-p3 0 0 0.2); }", "light", DARK, id="a dark part of a page"),
        pytest.param("body { background: #111; } main { background: #fff; }", "dark", LIGHT, id="a light part of one"),
        pytest.param("body { background: #111; } main { background: #fff1; }", "light", DARK, id="a faint veil on it"),
        pytest.param(":root { color-scheme: dark; }", "light", DARK, id="a dark scheme"),
        pytest.param(":root { color-scheme: light; }", "dark", LIGHT, id="a light scheme"),
        pytest.param(BOTH, "dark", DARK, id="both schemes, and dark is preferred"),
        pytest.param(BOTH, "light", LIGHT, id="both schemes, and light is preferred"),
        pytest.param(f"{BOTH} body {{ background: #fff; }}", "dark", LIGHT, id="both schemes, but a light background"),
        pytest.param(
            "body { background: #fff; } openedx-ai-widget { color-scheme: dark; }", "light", DARK,
            id="the page has a rule for the widget",
        ),
    ],
)  # fmt: skip
def test_it_looks_as_the_page_around_it(card, css, prefers, colour):
    expect(card(css, prefers)).to_have_css("background-color", colour)


def test_its_attribute_counts_more(card):
    expect(card("body { background: #fff; }", "light", theme="dark")).to_have_css("background-color", DARK)


def test_it_follows_a_page_that_changes(block, card):
    shown = card(TOGGLED, "light")
    expect(shown).to_have_css("background-color", LIGHT)
    for is_dark in (True, False):
        block.page.evaluate("isDark => document.documentElement.classList.toggle('dark', isDark)", is_dark)
        expect(shown).to_have_css("background-color", DARK if is_dark else LIGHT)


def test_it_follows_a_preference_that_changes(block, card):
    shown = card(f"{BOTH} @media (prefers-color-scheme: dark) {{ body {{ background: #111; }} }}", "light")
    expect(shown).to_have_css("background-color", LIGHT)
    block.page.emulate_media(color_scheme="dark")
    expect(shown).to_have_css("background-color", DARK)
