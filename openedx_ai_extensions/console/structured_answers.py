"""Reads answers that are data: flashcards, and the questions of a quiz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.processors.openedx.safe_html import plain_text


def items_of(response: Any) -> Iterator[tuple[str, list[str]]]:
    """Each card or question with its answers; nothing for data of any other form."""
    if isinstance(response, Mapping):
        slots = response.get("question_slots")
        entries = [slot["versions"][slot["selected"]] for slot in slots] if isinstance(slots, list) else []
    else:
        entries = response if isinstance(response, list) else []
    for entry in entries:
        if isinstance(entry, Mapping) and {"question", "answer"} <= entry.keys():
            yield str(entry["question"]), [str(entry["answer"])]
        elif isinstance(entry, Mapping) and "question_html" in entry:
            yield plain_text(entry["question_html"]), _answers(entry)


def _answers(question: Mapping[str, Any]) -> list[str]:
    right = _("{choice} (correct)")
    choices = [
        right.format(choice=choice["text"]) if choice["is_correct"] else choice["text"]
        for choice in question.get("choices") or ()
    ]
    return choices or [str(question.get("answer_value") or "")]
