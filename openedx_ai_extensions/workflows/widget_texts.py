"""The texts of widgets in the language of the person who reads them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.utils import translation
from django.utils.translation import pgettext_lazy

from openedx_ai_extensions.core.schema import TEXTS, is_known_language

_ENGLISH = "en"

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
    pgettext_lazy("widget", "Ask me a question to check what I know."),
    pgettext_lazy("widget", "Explain it more simply"),
    pgettext_lazy("widget", "Explain simply"),
    pgettext_lazy("widget", "Explain the hardest part in simple words."),
    pgettext_lazy("widget", "Explain this"),
    pgettext_lazy("widget", "Find my way in this course"),
    pgettext_lazy("widget", "Get the main ideas of this unit"),
    pgettext_lazy("widget", "Hello! Ask me anything about this unit."),
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
    pgettext_lazy("widget", "What are the main ideas of this unit?"),
    pgettext_lazy("widget", "Your questions are in the content library."),
)


@cache
def template_texts() -> Mapping[str, Any]:
    """The texts of the templates that ship: as they are there, and as lazy translations."""
    with translation.override(None):
        return {str(text): text for text in _TEMPLATE_TEXTS}


def in_active_language(value: Any, in_template: Any, name: str = "") -> Any:
    """A copy of a configuration's UI components with texts in the active language: texts of templates are translated,
    and of a text per language, such as ``{en: "Go", es: "Ir"}``, one is chosen.

    Args:
        value: the UI components, or a part of them.
        in_template: the same part of the template without the profile's patch; None if it has none.
        name: the name of the part; of an item, that of its list.
    """
    if isinstance(value, str):
        return str(template_texts().get(value, value)) if value == in_template else value
    if isinstance(value, list):
        known = in_template if isinstance(in_template, list) else []
        return [in_active_language(item, item if item in known else None, name) for item in value]
    if not isinstance(value, Mapping):
        return value
    if _is_text_per_language(name, value):
        return _best(value, translation.get_language() or _ENGLISH)
    parts = in_template if isinstance(in_template, Mapping) else {}
    return {key: in_active_language(part, parts.get(key), key) for key, part in value.items()}


def _is_text_per_language(name: str, value: Mapping[str, Any]) -> bool:
    """Is it one of our texts? Of an extension's objects, those are texts that have only names of languages, and several
    of them: ``{id: "…"}`` is not one in Indonesian.
    """
    if name == "config" or not value or not all(isinstance(text, str) for text in value.values()):
        return False
    return name in TEXTS or (len(value) > 1 and all(map(is_known_language, value)))


def _best(texts: Mapping[str, str], language: str) -> str:
    """The text in the language, otherwise in the language of any country, in English, or in the first one."""
    by_code = {code.lower().replace("_", "-"): text for code, text in texts.items()}
    generic = language.split("-", maxsplit=1)[0]
    similar = (code for code in by_code if code.split("-")[0] == generic)
    for code in (language, generic, next(similar, ""), _ENGLISH):
        if code in by_code:
            return by_code[code]
    return next(iter(texts.values()))
