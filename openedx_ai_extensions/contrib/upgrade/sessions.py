"""Old sessions as ours: what people said and made."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField, UsageKeyField
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.contrib.upgrade.configuration import LET_GO, MEND, MEND_PARENT, PARENT, Left, New, timestamps
from openedx_ai_extensions.contrib.upgrade.old_rows import Row, parsed, text
from openedx_ai_extensions.core.portable import is_whole
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession
from openedx_ai_extensions.workflows.orchestrators import (
    ScopedSessionOrchestrator,
    educator,
    flashcards,
    orchestrator_class,
)
from openedx_ai_extensions.workflows.orchestrators.threaded import REMOTE_THREAD_KEY
from openedx_ai_extensions.workflows.resolution import ORDER, Candidate, first_match

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
    is_place = is_whole(selected) and 0 <= selected < len(versions)
    return {"id": uuid.uuid4().hex, "versions": versions, "selected": selected if is_place else len(versions) - 1}


def _is_question(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value.get("question_html")) and bool(value.get("problem_type"))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


class Sessions:
    """Makes sessions of ours; remembers what of the configuration was taken over.

    Args:
        profiles, scopes: what they became, by their old keys. In a rehearsal, anything that stands for it.
        configured, placed: the profiles and scopes themselves, by what they became.
    """

    def __init__(
        self,
        profiles: Mapping[str, Any],
        scopes: Mapping[str, Any],
        configured: Mapping[Any, AIWorkflowProfile],
        placed: Mapping[Any, AIWorkflowScope],
    ) -> None:
        self._profiles = profiles
        self._scopes = scopes
        self._placed = placed
        self._course_wide = {new for new, profile in configured.items() if _spans_course(profile)}
        self._seen: set[tuple[Any, ...]] = set()

    def new(self, row: Row) -> New:
        """The session of a row. Of several for one person, workflow and place, the first that comes is taken.

        Raises:
            Left: it has no place here.
        """
        profile, scope, guesses = self._workflow(row)
        user_id: Any = row.get("user_id")
        if not get_user_model().objects.filter(pk=user_id).exists():
            raise Left("its person is not there any more", LET_GO)
        course_id: Any = _key(CourseKey, "course_id", row) or CourseKeyField.Empty
        location_id: Any = UsageKeyField.Empty
        if profile not in self._course_wide:
            location_id = _key(UsageKey, "location_id", row) or UsageKeyField.Empty
        place = (user_id, scope, profile, str(course_id), str(location_id))
        if place in self._seen:
            raise Left("the same person has a later session of this workflow at this place", LET_GO)
        self._seen.add(place)
        memory, notes = metadata(parsed(row.get("metadata")))
        instance = AIWorkflowSession(
            user_id=user_id,
            course_id=course_id,
            location_id=location_id,
            local_submission_id=str(row.get("local_submission_id") or ""),
            remote_response_id=str(row.get("remote_response_id") or ""),
            metadata=memory,
        )
        instance.profile_id, instance.scope_id = profile, scope
        return New(instance, [*guesses, *notes], timestamps(row))

    def _workflow(self, row: Row) -> tuple[Any, Any, list[str]]:
        """Its profile and its scope, and how sure this is. Of two columns one may be empty: the other tells.

        Raises:
            Left: they are not there.
        """
        profile, scope = self._profiles.get(text(row.get("profile_id"))), self._scopes.get(text(row.get("scope_id")))
        guesses: list[str] = []
        if not row.get("profile_id") and scope is not None:
            profile = self._placed[scope].profile_id
        if not row.get("scope_id") and profile is not None:
            scope, is_there = self._scope_of(profile, str(row.get("course_id") or ""), text(row.get("location_id")))
            if not is_there:
                guesses = [f"it names no scope, and no scope of its profile serves its place: it is in {scope} now"]
        if profile is None or scope is None:
            raise Left(PARENT.format(kind="profile" if profile is None else "scope"), MEND_PARENT)
        return profile, scope, guesses

    def _scope_of(self, profile: Any, course: str, location: str) -> tuple[Any, bool]:
        """Where a profile runs at a place, as a request there would find it, and whether any scope serves the place.

        If none does: in its course alone rather than in every one, the newest first.
        """
        scopes = {pk: scope for pk, scope in self._placed.items() if scope.profile_id == profile}
        fitting = {pk: scope for pk, scope in scopes.items() if str(scope.course_id or "") in {"", course}}
        first = sorted(fitting, key=lambda pk: (fitting[pk].enabled, *_rank(pk, fitting[pk])), reverse=True)
        found = first_match((Candidate(fitting[pk].location_regex, pk) for pk in first), location)
        if found is not None:
            return found.row, True
        return max(fitting, key=lambda pk: (bool(fitting[pk].course_id), _number(pk)), default=None), False


def unseen(scopes: Mapping[Any, AIWorkflowScope], conversations: Mapping[Any, int]) -> Iterator[tuple[Any, str]]:
    """Scopes that have conversations and never answer, as a newer one answers wherever they would; and what to know.

    Args:
        scopes: all, by their ids.
        conversations: how many each scope has.
    """
    newest: dict[tuple[Any, ...], Any] = {}
    for pk in sorted(scopes, key=_number, reverse=True):
        scope = scopes[pk]
        where = (str(scope.course_id or ""), scope.ui_slot_selector_id, scope.location_regex, scope.service_variant)
        if not scope.enabled:
            continue
        other = newest.setdefault(where, pk)
        if other != pk and conversations.get(pk):
            why = f"it never answers, as the newer scope {other} has the same course, slot, pattern and service"
            yield pk, f"{why}; conversations that are not shown for it: {conversations[pk]}"


def _rank(key: Any, scope: AIWorkflowScope) -> tuple[Any, ...]:
    """Greater for the one that wins; a number may be there as text."""
    return tuple(_number(key) if name == "id" else getattr(scope, name) for name in ORDER)


def _number(key: Any) -> str:
    return str(key).zfill(20)


def refuse_second(instance: AIWorkflowSession) -> None:
    """Raises ValidationError: it is not valid, or its person has gone on without it."""
    instance.clean_fields(exclude={"user", "profile", "scope"})
    same = AIWorkflowSession.objects.filter(
        user_id=instance.user_id,
        scope_id=instance.scope_id,
        profile_id=instance.profile_id,
        course_id=instance.course_id or CourseKeyField.Empty,
        location_id=instance.location_id or UsageKeyField.Empty,
    )
    if same.exists():
        raise ValidationError("the same person has a new session of this workflow at this place")


def _key(kind: Any, column: str, row: Row) -> Any:
    value = str(row.get(column) or "")
    try:
        return kind.from_string(value) if value else None
    except InvalidKeyError:
        raise Left(f"{column}: {value} is no key", MEND.format(name=column)) from None


def _spans_course(profile: AIWorkflowProfile) -> bool:
    """Do this profile's sessions have no location?"""
    try:
        return issubclass(orchestrator_class(profile.orchestrator_class or ""), ScopedSessionOrchestrator)
    except (ImportError, TypeError):
        return False
