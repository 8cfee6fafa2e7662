"""A panel of the demo that opens in place, as a person meets it."""

from __future__ import annotations

import json

from tests.conftest import COURSE_ID, UNIT_ID


class Drawer:
    """The panel in a slot, on the page of one unit."""

    def __init__(self, page, demo, slot, person):
        self.page, self.demo, self.slot = page, demo, slot
        self.root = page.locator(f"[data-ui-slot-selector-id={slot}]")
        self.summary = self.root.locator("summary").first
        self.status = self.root.locator(".ai-drawer > .ai-lines .ai-status")
        self.alert = self.root.locator(".ai-drawer > .ai-lines .ai-error")
        self.progress = self.root.get_by_role("progressbar")
        page.goto(f"{demo.url}/")
        page.get_by_role("button", name=person, exact=True).click()
        self.summary.wait_for()
        self.post("clear_session")
        demo.provider.reset()

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def open(self):
        self.summary.click()

    def reopen(self):
        self.page.reload()
        self.open()

    def post(self, action, user_input=None):
        """Run an action behind the page's back; returns the answer."""
        context = {"courseId": COURSE_ID, "locationId": UNIT_ID, "uiSlotSelectorId": self.slot}
        [token] = [cookie["value"] for cookie in self.page.context.cookies() if cookie["name"] == "csrftoken"]
        response = self.page.request.post(
            f"{self.demo.url}/openedx-ai-extensions/v1/workflows/",
            params={"context": json.dumps(context)},
            data={"action": action, "user_input": user_input},
            headers={"X-CSRFToken": token},
        )
        assert response.ok, response.text()
        return response.json()

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

    def is_narrow(self):
        """Does it fit 320 pixels, which is also what 1280 are at 400 %?"""
        self.page.set_viewport_size({"width": 320, "height": 640})
        return self.page.evaluate("document.documentElement.scrollWidth") <= 320
