"""A stack of flashcards for each learner and course: the model writes them, and the learner's progress is stored."""

from __future__ import annotations

import math
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.core.portable import is_whole
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.execution.answers import Result, StatusResult
from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.processors.llm import ask_structured
from openedx_ai_extensions.prompts.builtin import builtin_schema
from openedx_ai_extensions.workflows.orchestrators.base import action
from openedx_ai_extensions.workflows.orchestrators.session_based_orchestrator import ScopedSessionOrchestrator

CARDS = "cards"  # key of the session's metadata
MAX_STACK_CARDS = 500  # cards
MAX_CARDS_PER_RUN = 50  # in one run
DEFAULT_MAX_CARDS = 20  # if the learner gives no number
# Of a card that was never reviewed.
NEW_PROGRESS: Mapping[str, Any] = {
    "next_review_time": 0,
    "interval": 1,
    "ease_factor": 2.5,
    "repetitions": 0,
    "last_reviewed_at": None,
}
KNOWN_QUESTIONS_CHARS = 8_000  # of existing questions, sent to the model

MAX_WORDS_CHARS = 2_000  # of a question or an answer that the learner writes
_GONE = _("Some of these cards are not in your stack any more.")

Card = dict[str, Any]


class FlashCardsOrchestrator(ScopedSessionOrchestrator):
    """Writes cards about the learner's current location onto one stack per course.

    A new run adds cards that are not on the stack yet. ``save`` stores the learner's progress with each card.
    """

    @property
    def cards(self) -> list[Card]:
        """The stack when the session was read, oldest card first."""
        return list(self.session.metadata.get(CARDS) or ())

    def check_input(self, user_input: Any) -> None:
        _number_of(user_input)

    @action
    def run(self, user_input: Any) -> Result:
        """Write cards, ``{"num_cards": int | null}``; returns the new ones."""
        wanted = _number_of(user_input)
        known = self.cards
        room = MAX_STACK_CARDS - len(known)
        if room <= 0:
            raise InvalidRequest(
                _("There are {number} cards already. Clear them to begin a new stack.").format(number=len(known))
            )
        self.report_progress(0.1, gettext("Reading the course."))
        content = self.course_content()
        self.report_progress(0.3, gettext("Writing cards."))
        value, usage = ask_structured(
            LLMProcessor(self.profile.processor_config, user_session=self.session),
            builtin_schema("flashcards"),
            name="flashcards",
            instructions=_instructions(min(wanted or DEFAULT_MAX_CARDS, room), is_exact=wanted is not None),
            context="\n\n".join(filter(None, [content, _listed(known)])),
        )
        self.report_progress(0.9, gettext("Adding the cards to your stack."))
        new = self._add(value["cards"], limit=wanted or DEFAULT_MAX_CARDS)
        return self.result(new, usage)

    # Saved progress is not sent to a model, so it may be longer than a message.
    @action(asks_model=False, max_chars="AI_EXTENSIONS_MAX_SAVE_CHARS")
    def save(self, user_input: Any) -> Result:
        """Store the progress of cards; of concurrent reviews of a card, the later one is kept."""
        progress = [_progress(card) for card in _cards_in(user_input)]

        def merge(metadata: dict[str, Any]) -> None:
            by_id = {card["id"]: card for card in metadata.get(CARDS) or ()}
            for card in progress:
                if card["id"] not in by_id:
                    raise InvalidRequest(_GONE)
                stored = by_id[card["id"]]
                if _seconds(card.get("last_reviewed_at")) >= _seconds(stored["last_reviewed_at"]):
                    by_id[card["id"]] = {**stored, **card}
            metadata[CARDS] = list(by_id.values())

        self._change(merge)
        return StatusResult(status="saved", extra={"message": gettext("Your progress is saved.")})

    @action(asks_model=False, max_chars="AI_EXTENSIONS_MAX_SAVE_CHARS")
    def edit_card(self, user_input: Any) -> Result:
        """Change the words of a card, ``{"id", "question", "answer"}``; without ``id``, add a card of the learner's.
        Returns the card.
        """
        fields = user_input if isinstance(user_input, Mapping) else {}
        words = {name: _words(fields, name) for name in ("question", "answer")}
        card: Card = {}

        def put(metadata: dict[str, Any]) -> None:
            cards = list(metadata.get(CARDS) or ())
            if fields.get("id") is None:
                if len(cards) >= MAX_STACK_CARDS:
                    raise InvalidRequest(_("These are more than {maximum} cards.").format(maximum=MAX_STACK_CARDS))
                cards.append({"id": uuid.uuid4().hex, **NEW_PROGRESS})
                place = len(cards) - 1
            else:
                place = _place_of(fields["id"], cards)
            cards[place] = {**cards[place], **words}
            card.update(cards[place])
            metadata[CARDS] = cards

        self._change(put)
        return StatusResult(status="saved", extra={"card": card})

    @action(asks_model=False)
    def delete_card(self, user_input: Any) -> Result:
        """Delete a card, ``{"id"}``, with its progress."""
        fields = user_input if isinstance(user_input, Mapping) else {}

        def delete(metadata: dict[str, Any]) -> None:
            cards = list(metadata.get(CARDS) or ())
            del cards[_place_of(fields.get("id"), cards)]
            metadata[CARDS] = cards

        self._change(delete)
        return StatusResult(status="saved")

    @action(asks_model=False, replayable=False, keeps_nothing=True)
    def get_current_session_response(self, _user_input: Any) -> Result:
        cards = self.cards
        return StatusResult(status="completed" if cards else "no_flashcards", extra={"cards": cards or None})

    def current_response(self) -> list[Card] | None:
        return self.cards or None

    def _add(self, drafts: Iterable[Mapping[str, str]], limit: int) -> list[Card]:
        """Add new cards to the stack, without duplicates of existing questions; returns the new cards.

        Raises:
            RunCancelled: the run was cancelled; nothing is stored.
        """

        new: list[Card] = []

        def add(metadata: dict[str, Any]) -> None:
            cards = metadata.get(CARDS) or ()
            new.extend(_new_cards(drafts, cards)[: min(limit, MAX_STACK_CARDS - len(cards))])
            metadata[CARDS] = [*cards, *new]

        self._change(add)
        return new

    def _change(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the metadata under a row lock. A stack that was cleared in another tab stays empty."""
        if self._change_metadata(change) is None:
            change({})


def _number_of(user_input: Any) -> int | None:
    """The requested number of cards; None if the model decides.

    Raises:
        InvalidRequest: it is not a valid number.
    """
    number = user_input.get("num_cards") if isinstance(user_input, Mapping) else user_input
    if number is None or number == "":
        return None
    if not is_whole(number) or not 1 <= number <= MAX_CARDS_PER_RUN:
        raise InvalidRequest(
            _("num_cards must be a whole number from 1 to {maximum}, or null.").format(maximum=MAX_CARDS_PER_RUN)
        )
    return number


def _instructions(number: int, *, is_exact: bool) -> str:
    """Instructions for the model; not translated."""
    how_many = f"Write {number} cards." if is_exact else f"Write as many cards as are useful, at most {number}."
    return f"{how_many} Write none that asks what a question under 'Cards there are already' asks."


def _listed(cards: Sequence[Card]) -> str:
    """The questions of the latest cards, for the model."""
    lines: list[str] = []
    room = KNOWN_QUESTIONS_CHARS
    for card in reversed(cards):
        line = "- " + " ".join(card["question"].split())
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join(["Cards there are already:", *reversed(lines)]) if lines else ""


def _new_cards(drafts: Iterable[Mapping[str, str]], cards: Iterable[Card]) -> list[Card]:
    """New cards from the drafts whose questions are not on the stack yet."""
    asked = {_normalized(card["question"]) for card in cards}
    new: list[Card] = []
    for draft in drafts:
        question, answer = draft["question"].strip(), draft["answer"].strip()
        if not question or not answer or _normalized(question) in asked:
            continue
        asked.add(_normalized(question))
        new.append({"id": uuid.uuid4().hex, "question": question, "answer": answer, **NEW_PROGRESS})
    return new


def _normalized(question: str) -> str:
    """Normalise a question for comparison: case, spaces and surrounding punctuation are ignored."""
    text = " ".join(unicodedata.normalize("NFKC", question).casefold().split())
    marks = "".join({character for character in text if unicodedata.category(character).startswith("P")})
    return text.strip(marks + " ") or text


def _words(fields: Mapping[str, Any], name: str) -> str:
    """The question or the answer that a learner wrote.

    Raises:
        InvalidRequest: it is no text, empty or too long.
    """
    words = fields.get(name)
    if not isinstance(words, str) or not words.strip() or len(words) > MAX_WORDS_CHARS:
        message = _("{field} is required, as a text of at most {maximum} characters.")
        raise InvalidRequest(message.format(field=name, maximum=MAX_WORDS_CHARS))
    return words.strip()


def _place_of(card_id: Any, cards: Sequence[Card]) -> int:
    """The position of a card. Raises InvalidRequest if there is no such card."""
    place = next((place for place, card in enumerate(cards) if card["id"] == card_id), None)
    if place is None:
        raise InvalidRequest(_GONE)
    return place


def _cards_in(user_input: Any) -> list[Mapping[str, Any]]:
    """The cards in ``{"card_stack": {"cards": […]}}`` or ``{"cards": […]}``."""
    holder = user_input.get("card_stack", user_input) if isinstance(user_input, Mapping) else None
    cards = holder.get("cards") if isinstance(holder, Mapping) else None
    if not isinstance(cards, list) or not all(isinstance(card, Mapping) for card in cards):
        raise InvalidRequest(_("cards is required, as a list of cards."))
    if len(cards) > MAX_STACK_CARDS:
        raise InvalidRequest(_("These are more than {maximum} cards.").format(maximum=MAX_STACK_CARDS))
    return cards


def _progress(card: Mapping[str, Any]) -> Card:
    """A card's id and progress; other fields of the client are ignored.

    Raises:
        InvalidRequest: a value is not valid.
    """
    if not isinstance(card.get("id"), str):
        raise InvalidRequest(_("Each card needs its id."))
    progress: Card = {"id": card["id"]}
    for name, understand in _PROGRESS_FIELDS.items():
        if name in card:
            progress[name] = understand(name, card[name])
    return progress


def _number(name: str, value: Any, *, maximum: float, is_whole: bool = False) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= maximum
    if not is_number or (is_whole and value != int(value)):
        raise InvalidRequest(_("{field} is not a valid number.").format(field=name))
    return int(value) if is_whole else value


def _review_time(name: str, value: Any) -> Any:
    """A time of review, unchanged: milliseconds or seconds since 1970, ISO 8601, or null."""
    if value is not None:
        try:
            moment = _seconds(value)
        except (ValueError, TypeError, OverflowError):
            moment = math.nan
        # A clock that is further ahead would override all later reviews.
        if not 0 <= moment <= timezone.now().timestamp() + 86_400:
            raise InvalidRequest(_("{field} is not a valid time in the past.").format(field=name))
    return value


def _seconds(value: Any) -> float:
    """A time of review in seconds; null sorts before all others.

    Raises:
        ValueError, TypeError, OverflowError: it is not a time.
    """
    if value is None:
        return -math.inf
    if isinstance(value, str):
        if len(value) > 40:
            raise ValueError(len(value))
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, bool):
        raise TypeError
    return float(value) / 1000 if value > 1e11 else float(value)


_PROGRESS_FIELDS: Mapping[str, Callable[[str, Any], Any]] = {
    "next_review_time": partial(_number, maximum=1e14),
    "interval": partial(_number, maximum=1e6),
    "ease_factor": partial(_number, maximum=100),
    "repetitions": partial(_number, maximum=1e6, is_whole=True),
    "last_reviewed_at": _review_time,
}
