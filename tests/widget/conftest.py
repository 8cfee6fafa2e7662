"""The widget on a page of its own, as an author's HTML block has it, against the real endpoints."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from openedx_ai_extensions.processors.llm.provider import library
from tests.conftest import COURSE_ID, SLOT, UNIT_ID

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "widget"
STATIC = ROOT / "openedx_ai_extensions" / "static" / "openedx_ai_extensions"
SCRIPT = "/static/openedx_ai_extensions/widget.js"
# Nothing inline, nothing from elsewhere: what the strictest site allows.
POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; object-src 'none'"
TOKEN = "t" * 32
# What the page heard, and how far it moved by itself.
WATCH = """
window.heard = []; window.moved = 0;
for (const name of ["completed", "error"])
  addEventListener(`openedx-ai:${name}`, (event) => heard.push([name, event.detail]));
new PerformanceObserver((list) => { for (const entry of list.getEntries()) moved += entry.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


@dataclass
class Block:
    """A page with widgets.

    Attributes:
        root: the first widget.
        asked: the URL of each request that the page made.
    """

    page: Any
    url: str
    asked: list[str] = field(default_factory=list)

    @property
    def root(self) -> Any:
        return self.page.locator("openedx-ai-widget").first

    @property
    def answer(self) -> Any:
        return self.root.locator(".answer")

    @property
    def alert(self) -> Any:
        return self.root.locator("[role=alert] p")

    @property
    def note(self) -> Any:
        """How an answer ended, where that is no error."""
        return self.root.locator("[role=note]:not(.error) p")

    def button(self, name: str) -> Any:
        return self.root.get_by_role("button", name=name, exact=True)

    def heard(self, count: int) -> list[Any]:
        """The first events of the widgets as pairs of name and detail, once there are this many.

        An event may come after what it tells is on the page.
        """
        self.page.wait_for_function("count => heard.length >= count", arg=count)
        return list(self.page.evaluate("heard"))

    def open(self, *slots: str, head: str = "", page: str = "", **attributes: str) -> None:
        """Show these slots, with these attributes; ``page`` are the attributes of the page itself."""
        named = {"course_id": COURSE_ID, "location_id": UNIT_ID, **attributes}
        shared = " ".join(f'{name.replace("_", "-")}="{html.escape(value)}"' for name, value in named.items())
        widgets = "".join(
            f'<openedx-ai-widget ui-slot-selector-id="{slot}" {shared}></openedx-ai-widget>'
            for slot in slots or (SLOT,)
        )
        body = (
            f"<!doctype html><html {page or 'lang=en'}><title>Block</title>{head}<main><h1>Block</h1>{widgets}"
            f'<p id="below">Text below.</p></main><script type="module" src="{SCRIPT}"></script></html>'
        )
        headers = {"Content-Security-Policy": POLICY}
        self.page.route(
            "**/block/",
            lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8", headers=headers),
        )
        self.page.goto(f"{self.url}/block/")


@pytest.fixture
def new_page(browser) -> Iterator[Callable[..., Any]]:
    """A page that watches itself; what it complains of fails the test, unless the test removes it."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def make(**options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.complaints = complaints
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert [text for text in complaints if "Failed to load resource" not in text] == []


@pytest.fixture
def block(new_page, live_server, learner, provider) -> Block:
    """A page of somebody logged in as the learner; a fake provider answers."""
    library.warm_up()  # the first request of a process would wait for it
    client = Client()
    client.force_login(learner)
    page = new_page()
    cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": TOKEN}
    page.context.add_cookies(
        [{"name": name, "value": value, "url": live_server.url} for name, value in cookies.items()]
    )
    block = Block(page, live_server.url)
    page.on("request", lambda request: block.asked.append(request.url))
    return block
