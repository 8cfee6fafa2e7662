"""A real browser, for tests of what people see."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE

# The shell is the same engine without what surrounds a page in a window: a page costs a quarter of the time.
_FOUND = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), "/usr/bin/chromium")
CHROMIUM = Path(os.environ.get("CHROMIUM", _FOUND))
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# For the ``pytestmark`` of a module.
in_a_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no browser at {CHROMIUM}"),
]

_running = contextlib.ExitStack()
_browsers: list[Any] = []


@pytest.fixture
def browser() -> Iterator[Any]:
    """One for all tests that follow each other; what a test opens in it is closed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not _browsers:
        playwright.expect.set_options(timeout=PATIENCE * 1000)
        # Its synchronous interface runs an event loop in this thread, where Django would refuse the test's own queries.
        _running.enter_context(pytest.MonkeyPatch.context()).setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        driver = _running.enter_context(playwright.sync_playwright())
        found = driver.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        _running.callback(found.close)
        found.on("context", lambda context: context.set_default_timeout(PATIENCE * 1000))
        _browsers.append(found)
    yield _browsers[0]
    for context in _browsers[0].contexts:
        context.close()


def close_browser_before(item: pytest.Item | None) -> None:
    """Close it, unless this test needs it too: its event loop would be in the way of others."""
    if item is None or "browser" not in getattr(item, "fixturenames", ()):
        _browsers.clear()
        _running.close()
