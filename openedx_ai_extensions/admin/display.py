"""How admin pages show values that are not form fields."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.models import AIWorkflowProfile


def code(text: str) -> SafeString:
    """Text with its line breaks and spaces."""
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


def status_text(profile: AIWorkflowProfile) -> str:
    """Usable, or broken and why."""
    problems = profile.problems()
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        return _("Broken: {reason}").format(reason=errors[0].text)
    if problems:
        text = ngettext("Usable, with {count} warning", "Usable, with {count} warnings", len(problems))
        return text.format(count=len(problems))
    return _("Usable")


def number(value: float) -> str:
    whole = round(value) if value == round(value) else value
    return formats.number_format(whole, force_grouping=True)


def seconds(milliseconds: int | None, decimals: int) -> str:
    """A duration in words; a dash if it is not known."""
    if milliseconds is None:
        return "–"
    return _("{seconds} s").format(seconds=formats.number_format(milliseconds / 1000, decimals))
