"""The real demo in a process of its own, a fake provider, and a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.fakes.provider import FakeProvider

FIRST_PORT = 8750


@dataclass
class Demo:
    """A running demo site.

    Attributes:
        url: where it is, without a final slash.
        provider: who answers.
        complaints: what the browser's console held against the page.
        expected_status: an HTTP status that the test means to provoke.
    """

    url: str
    provider: FakeProvider
    complaints: list[str] = field(default_factory=list)
    expected_status: int | None = None


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[tuple[str, FakeProvider]]:
    with FakeProvider() as provider:
        entry = {"MODEL": "openai/gpt-fake", "API_KEY": "sk-fake", "API_BASE": provider.base_url}
        environment = {
            **os.environ,
            "AI_EXTENSIONS": json.dumps({"default": entry}),
            "AI_EXTENSIONS_DEMO_DIR": str(tmp_path_factory.mktemp("demo")),
            "DJANGO_SETTINGS_MODULE": "openedx_ai_extensions.demo.settings",
        }
        # Each worker looks for a free port from a place of its own.
        port = FIRST_PORT + 40 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        command = [sys.executable, "-u", "-m", "openedx_ai_extensions.demo", "--port", str(port)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                addresses = (re.search(r"http://[\d.]+:\d+", line) for line in process.stdout)
                yield next(address[0] for address in addresses if address), provider
            finally:
                process.terminate()


@pytest.fixture
def demo(site) -> Demo:
    url, provider = site
    provider.reset()
    return Demo(url, provider)


@pytest.fixture
def page(browser, demo) -> Iterator:
    """A page of a fresh visitor; a test that leaves complaints behind fails."""
    context = browser.new_context()
    page = context.new_page()
    page.on("pageerror", lambda error: demo.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: demo.complaints.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on(
        "response",
        lambda response: (
            demo.complaints.append(f"{response.status} {response.url}") if response.status >= 400 else None
        ),
    )
    yield page
    context.close()
    assert [text for text in demo.complaints if str(demo.expected_status) not in text] == []
