"""Take the pictures of the widget: the real demo, a fake provider, a real browser. ``make screenshots`` runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from playwright.sync_api import Page, sync_playwright  # noqa: E402  # its home is on the path now

from tests.browser import CHROMIUM, CHROMIUM_ARGUMENTS  # noqa: E402
from tests.fakes.provider import FakeProvider  # noqa: E402

STATIC = REPO / "docs" / "_static"
ANSWER = """A leaf catches sunlight with **chlorophyll** and keeps its energy as sugar.

| Goes in | Becomes |
|---|---|
| Water | Oxygen, which the plant lets go |
| Carbon dioxide | The carbon of sugar |

It happens in two steps: the *light reactions* fill carriers of energy, and the *Calvin cycle* spends them.
"""
CHAT = """It **makes** its food, out of light, water and air {label}. This is called *photosynthesis*.

【?】 What happens to the oxygen?
【?】 Why are leaves green?
"""
CARD = {
    "question": "Which pigment makes leaves look green, and why?",
    "answer": "Chlorophyll. It takes in red and blue light and gives back the green.",
}


def take(page: Page, url: str, provider: FakeProvider) -> None:
    """All pictures, of one visit."""
    page.goto(f"{url}/")
    page.get_by_role("button", name="learner", exact=True).click()
    provider.reply(ANSWER)
    box = page.locator("openedx-ai-widget[ui-slot-selector-id=unit-summary]")
    box.get_by_role("button", name="AI summary").click()
    box.locator(".result-footer").wait_for()
    box.screenshot(path=STATIC / "widget-answer.png")

    chat = page.locator("openedx-ai-widget[ui-slot-selector-id=unit-chat]")
    chat.get_by_role("button", name="Ask the tutor").click()
    chat.locator(".message-actions:not([hidden])").first.wait_for()
    provider.reply("Hello!")
    field = chat.get_by_role("textbox")
    field.fill("Hello!")
    field.press("Enter")
    chat.locator(".message").nth(1).locator(".message-actions:not([hidden])").wait_for()
    label = re.findall(r"【\d{5}】", provider.requests[-1]["messages"][0]["content"])[0]
    chat.get_by_role("button", name="Start over").click()
    chat.locator("dialog.modal").get_by_role("button", name="Start over").click()
    chat.locator(".starters button").first.wait_for()
    provider.reply(CHAT.format(label=label))
    field.fill("Where does a leaf get its food?")
    field.press("Enter")
    chat.locator(".starters button").first.wait_for()
    chat.locator(".message").nth(1).locator(".message-actions:not([hidden])").wait_for()
    page.wait_for_timeout(1000)  # for what is loaded with the first answer
    page.screenshot(path=STATIC / "widget-chat.png")
    page.keyboard.press("Escape")

    provider.reply(json.dumps({"cards": [CARD]}))
    cards = page.locator("openedx-ai-widget[ui-slot-selector-id=unit-flashcards]")
    cards.locator("summary").click()
    cards.locator("form:not([hidden]) button.primary").click()
    cards.locator(".flashcard").click()
    cards.locator(".grades").wait_for()
    cards.screenshot(path=STATIC / "widget-flashcards.png")


def main() -> None:
    with FakeProvider() as provider, tempfile.TemporaryDirectory() as folder:
        entry = {"MODEL": "openai/gpt-fake", "API_KEY": "sk-fake", "API_BASE": provider.base_url}
        environment = {**os.environ, "AI_EXTENSIONS": json.dumps({"default": entry}), "AI_EXTENSIONS_DEMO_DIR": folder}
        command = [sys.executable, "-u", "-m", "openedx_ai_extensions.demo", "--port", "9470"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=environment, stdout=pipe, text=True, cwd=REPO) as process:  # noqa: S603
            try:
                addresses = (re.search(r"http://[\d.]+:\d+", line) for line in process.stdout or ())
                url = next(address[0] for address in addresses if address)
                with sync_playwright() as driver:
                    browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
                    page = browser.new_page(viewport={"width": 1100, "height": 620}, reduced_motion="reduce")
                    take(page, url, provider)
                    browser.close()
            finally:
                process.terminate()


if __name__ == "__main__":
    main()
