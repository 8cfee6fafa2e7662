"""What an old session remembers, as ours: flashcards, questions in review. No database here."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from openedx_ai_extensions.workflows.orchestrators import educator, flashcards
from openedx_ai_extensions.workflows.orchestrators.threaded import REMOTE_THREAD_KEY

Metadata = dict[str, Any]

# Where cards and questions may be: as the endpoints name them.
CARDS = (flashcards.CARDS, "flashcards", "card_stack")
QUESTIONS = (educator.SLOTS, "questions")
# What ours means by these is of no use to it when somebody else wrote it.
OURS_ALONE = (REMOTE_THREAD_KEY, educator.RUN, educator.SAVED, educator.SAVING, "id")
NEW_CARD: Mapping[str, Any] = {
    "next_review_time": 0,
    "interval": 1,
    "ease_factor": 2.5,
    "repetitions": 0,
    "last_reviewed_at": None,
}


def metadata(old: Any) -> tuple[Metadata, list[str]]:
    """A session's metadata, and what could not be used of it."""
    if old in (None, ""):
        return {}, []
    if not isinstance(old, Mapping):
        return {}, ["its metadata is no object"]
    notes: list[str] = []
    new = {name: value for name, value in old.items() if name not in {*CARDS, *QUESTIONS, *OURS_ALONE}}
    cards, lost = _cards(old)
    if cards:
        new[flashcards.CARDS] = cards
    if lost:
        notes.append(f"flashcards that are none: {lost}")
    slots, lost = _slots(old)
    if slots:
        new[educator.SLOTS] = slots
    if slots or educator.NAME in old:
        new[educator.NAME] = _text(old.get(educator.NAME))
    if lost:
        notes.append(f"questions that are none: {lost}")
    if not isinstance(new.get(educator.URL, ""), str):
        del new[educator.URL]
    return new, notes


def _cards(old: Mapping[str, Any]) -> tuple[list[Metadata], int]:
    found = next((old[name] for name in CARDS if old.get(name)), None)
    if isinstance(found, Mapping):
        found = found.get("cards")
    if not isinstance(found, list):
        return [], int(found is not None)
    cards = [card for card in map(_card, found) if card is not None]
    seen: set[str] = set()
    for card in cards:
        if card["id"] in seen:
            card["id"] = uuid.uuid4().hex
        seen.add(card["id"])
    return cards[: flashcards.MAX_STACK_CARDS], len(found) - len(cards[: flashcards.MAX_STACK_CARDS])


def _card(value: Any) -> Metadata | None:
    if not isinstance(value, Mapping):
        return None
    question, answer = _text(value.get("question")), _text(value.get("answer"))
    if not question or not answer:
        return None
    identifier = str(value.get("id") or uuid.uuid4().hex)
    card = {"id": identifier, "question": question, "answer": answer, **NEW_CARD}
    for name, new in NEW_CARD.items():
        known = value.get(name)
        is_number = isinstance(known, int | float) and not isinstance(known, bool)
        if is_number or (new is None and isinstance(known, str)):
            card[name] = known
    return card


def _slots(old: Mapping[str, Any]) -> tuple[list[Metadata], int]:
    found = next((old[name] for name in QUESTIONS if old.get(name)), None)
    if not isinstance(found, list):
        return [], int(found is not None)
    slots = [slot for slot in map(_slot, found) if slot is not None]
    return slots, len(found) - len(slots)


def _slot(value: Any) -> Metadata | None:
    """A slot with its versions; a question by itself is the only version."""
    if not isinstance(value, Mapping):
        return None
    versions = value.get("versions", [value])
    if not isinstance(versions, list) or not versions or not all(_is_question(version) for version in versions):
        return None
    selected = value.get("selected")
    is_place = isinstance(selected, int) and not isinstance(selected, bool) and 0 <= selected < len(versions)
    return {"id": uuid.uuid4().hex, "versions": versions, "selected": selected if is_place else len(versions) - 1}


def _is_question(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value.get("question_html")) and bool(value.get("problem_type"))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
