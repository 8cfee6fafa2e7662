"""Pages of the admin, read as a browser reads them."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse
from lxml import html

PREFIX = "admin:openedx_ai_extensions"


class Page:
    """An answer of the admin: its status, its texts and its form."""

    def __init__(self, response: Any) -> None:
        self.status = response.status_code
        self.source = response.content.decode()
        self.root = html.fromstring(self.source)

    @property
    def text(self) -> str:
        return self.root.text_content()

    @property
    def messages(self) -> list[str]:
        return [_text(item) for item in self.find("//ul[@class='messagelist']/li")]

    def find(self, xpath: str) -> list[Any]:
        return self.root.xpath(xpath)

    def field(self, name: str, xpath: str = "") -> list[Any]:
        """The elements of a field's row, its label and errors included."""
        return self.find(f"//*[contains(concat(' ', @class, ' '), ' field-{name} ')]{xpath}")

    def errors(self, name: str) -> list[str]:
        """The errors beside a field."""
        return [_text(item) for item in self.field(name, "//ul[contains(@class, 'errorlist')]/li")]

    def shown(self, name: str) -> str:
        """The text of a read-only field."""
        return _text(self.field(name, "//*[contains(@class, 'readonly')]")[0])

    def input(self, name: str) -> Any:
        return self.find(f"//form//*[@name='{name}']")[0]

    def value(self, name: str) -> str:
        """What an input holds."""
        box = self.input(name)
        if box.tag == "textarea":
            # A browser drops the line break that follows the tag.
            return box.text_content().removeprefix("\r").removeprefix("\n")
        if box.tag == "select":
            return "".join(box.xpath("option[@selected]/@value"))
        return box.get("value", "")

    def column(self, name: str) -> list[str]:
        """A column of a list."""
        rows = "//table[@id='result_list']/tbody/tr"
        return [_text(cell) for cell in self.find(f"{rows}/*[contains(concat(' ', @class, ' '), ' field-{name} ')]")]


class Admin:
    """One person in the admin."""

    def __init__(self, user: Any) -> None:
        self.client = Client()
        self.client.force_login(user)

    def get(self, model: str, page: str = "changelist", pk: Any = None, **query: str) -> Page:
        return Page(self.client.get(_url(model, page, pk), query, follow=True))

    def post(self, model: str, page: str, data: dict[str, Any], pk: Any = None) -> Page:
        return Page(self.client.post(_url(model, page, pk), data, follow=True))

    def act(self, model: str, action: str, pks: list[Any]) -> Page:
        """Run an action of the list."""
        return self.post(model, "changelist", {"action": action, "_selected_action": pks})


def _text(element: Any) -> str:
    return " ".join(element.text_content().split())


def _url(model: str, page: str, pk: Any) -> str:
    return reverse(f"{PREFIX}_{model}_{page}", args=() if pk is None else (pk,))
