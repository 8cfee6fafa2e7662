"""The widget on the demo's pages, as a person meets it: the one place that knows how it is built."""

from __future__ import annotations

import json

from tests.conftest import COURSE_ID, UNIT_ID

# What has the focus, in whichever shadow tree.
FOCUSED = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found.textContent.trim();
}"""


def widget(page, slot="unit-summary"):
    """The widget in a slot."""
    return page.locator(f"openedx-ai-widget[ui-slot-selector-id={slot}]")


def tab_to(page, name):
    """Press the Tab key until something with this text has the focus."""
    for _step in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == name:
            return
    raise AssertionError(f"{name} cannot be reached with the Tab key")


class Slot:
    """What all forms have in common, on the page of one unit."""

    def __init__(self, page, demo, slot, person="learner"):
        self.page, self.demo, self.slot = page, demo, slot
        self.root = widget(page, slot)
        self.dialog = self.root.locator("dialog.modal")
        self.whisper = self.root.locator(".sr-only[role=status]")
        self.log = self.root.get_by_role("log")
        page.goto(f"{demo.url}/")
        page.get_by_role("button", name=person, exact=True).click()
        self.root.locator(".card").wait_for()

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def post(self, action, user_input=None, slot=None):
        """Run an action behind the page's back, here or in another slot; returns the answer."""
        context = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": slot or self.slot}
        [token] = [cookie["value"] for cookie in self.page.context.cookies() if cookie["name"] == "csrftoken"]
        response = self.page.request.post(
            f"{self.demo.url}/openedx-ai-extensions/v1/workflows/",
            params={"context": json.dumps(context)},
            data={"action": action, "user_input": user_input},
            headers={"X-CSRFToken": token, "Accept": "application/json"},
        )
        assert response.ok, response.text()
        return response.json()

    def is_narrow(self):
        """Does it fit 320 pixels, which is also what 1280 are at 400 %?"""
        self.page.set_viewport_size({"width": 320, "height": 640})
        return self.page.evaluate("document.documentElement.scrollWidth") <= 320


class OneShot(Slot):
    """A button, maybe a field, and the answer below."""

    def __init__(self, page, demo, slot="unit-summary", person="learner"):
        super().__init__(page, demo, slot, person)
        self.box = self.root.locator(".card-body")
        self.answer = self.root.locator(".answer")
        self.alert = self.root.locator("[role=alert] p")


class Disclosure(Slot):
    """A form that opens in place."""

    def __init__(self, page, demo, slot, person):
        super().__init__(page, demo, slot, person)
        self.summary = self.root.locator("summary").first
        self.status = self.root.locator(".disclosure-body > .status-lines .status")
        self.alert = self.root.locator(".disclosure-body > .status-lines .error")
        self.progress = self.root.get_by_role("progressbar")
        self.count = self.root.locator(".count")
        self.card = self.root.locator(".flashcard")
        self.questions = self.root.locator(".question-card")
        self.saving = self.root.locator(".save")
        self.save = self.saving.locator("button.primary")
        self.post("clear_session")
        demo.provider.reset()

    def open(self):
        self.summary.click()

    def reopen(self):
        self.page.reload()
        self.open()

    def grade(self, name):
        """The button that says how well a card was known."""
        return self.root.locator(".grades button").filter(has_text=name)

    def breaks(self, action):
        """Have the site not be reached for this action, until ``mends``."""

        def handle(route):
            if json.loads(route.request.post_data)["action"] == action:
                route.abort()
            else:
                route.fallback()

        self.page.route("**/workflows/**", handle)

    def changes(self, action, change):
        """Have ``change`` at the input of this action on its way, until ``mends``."""

        def handle(route):
            body = json.loads(route.request.post_data)
            if body["action"] == action:
                change(body["user_input"])
            route.fallback(post_data=json.dumps(body))

        self.page.route("**/workflows/**", handle)

    def mends(self):
        self.page.unroute("**/workflows/**")


class Chat(Slot):
    """The chat of one unit."""

    def __init__(self, page, demo):
        super().__init__(page, demo, "unit-chat")
        self.messages = self.root.locator(".message")
        self.input = self.root.get_by_role("textbox", name="Your message to the tutor")

    def open(self):
        opener = self.button("Ask the tutor")
        opener.wait_for()
        if opener.get_attribute("aria-expanded") == "false":  # else it was open on the last visit
            opener.click()
        self.button("Send").wait_for()

    def reopen(self):
        self.page.reload()
        self.open()

    def send(self, text):
        self.input.fill(text)
        self.input.press("Enter")
