"""The texts of widgets in the language of the person who reads them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.utils import translation
from django.utils.translation import pgettext_lazy

# The texts of the templates that ship, also of those in the folder ``templates`` of the repository, which sites copy:
# gettext does not read JSON5. A test compares them with the templates. The context keeps them apart from the same words
# in other apps, whose translations would take precedence.
_TEMPLATE_TEXTS = (
    pgettext_lazy("widget", "A card that you know comes back another day."),
    pgettext_lazy("widget", "A guide to this course, by AI"),
    pgettext_lazy("widget", "AI summary"),
    pgettext_lazy("widget", "AI summary, made on this site"),
    pgettext_lazy("widget", "Answer"),
    pgettext_lazy("widget", "Ask"),
    pgettext_lazy("widget", "Ask about this unit"),
    pgettext_lazy("widget", "Ask the AI"),
    pgettext_lazy("widget", "Ask the tutor"),
    pgettext_lazy("widget", "Explain it more simply"),
    pgettext_lazy("widget", "Explain simply"),
    pgettext_lazy("widget", "Find my way in this course"),
    pgettext_lazy("widget", "Get the main ideas of this unit"),
    pgettext_lazy("widget", "In simple words"),
    pgettext_lazy("widget", "In simpler words, by AI"),
    pgettext_lazy("widget", "Key terms, found by AI"),
    pgettext_lazy("widget", "Let the AI write question cards from this unit, and learn them at your own pace."),
    pgettext_lazy("widget", "Make flashcards"),
    pgettext_lazy("widget", "Quiz questions"),
    pgettext_lazy("widget", "Read this unit in everyday words"),
    pgettext_lazy("widget", "Say hello"),
    pgettext_lazy("widget", "See what is in the collection"),
    pgettext_lazy("widget", "Show the key terms"),
    pgettext_lazy("widget", "Summarize this unit"),
    pgettext_lazy("widget", "Summarize what I have read so far"),
    pgettext_lazy("widget", "Summary"),
    pgettext_lazy("widget", "Try a mock answer"),
    pgettext_lazy("widget", "Try a mock stream"),
    pgettext_lazy("widget", "Tutor"),
    pgettext_lazy("widget", "Your questions are in the content library."),
)


@cache
def template_texts() -> Mapping[str, Any]:
    """The texts of the templates that ship: as they are there, and as lazy translations."""
    with translation.override(None):
        return {str(text): text for text in _TEMPLATE_TEXTS}


def readable(value: Any, in_template: Any) -> Any:
    """A copy of a configuration's UI components with texts in the active language.

    Args:
        value: the UI components, or a part of them.
        in_template: the same part of the template without the profile's patch; None if it has none.
    """
    if isinstance(value, str):
        return str(template_texts().get(value, value)) if value == in_template else value
    if isinstance(value, Mapping):
        parts = in_template if isinstance(in_template, Mapping) else {}
        return {name: readable(part, parts.get(name)) for name, part in value.items()}
    return value
