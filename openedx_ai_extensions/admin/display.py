"""How the admin's pages show what is not a form field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def code(text: str) -> SafeString:
    """Text whose lines and spaces matter."""
    return format_html('<pre class="aiext-code">{}</pre>', text)


def pretty_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def html_list(items: Iterable[Any]) -> SafeString:
    """The items as a list; empty when there are none."""
    rows = format_html_join("", "<li>{}</li>", ((item,) for item in items))
    return format_html('<ul class="aiext-list">{}</ul>', rows) if rows else rows


def change_link(obj: Model, text: str) -> SafeString:
    """A link to the admin page of a model instance."""
    url = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=(obj.pk,))
    return format_html('<a href="{}">{}</a>', url, text)
