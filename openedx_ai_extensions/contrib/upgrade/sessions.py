"""Converts old sessions: their workflow, person, location, and metadata such as flashcards and questions."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField, UsageKeyField
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.contrib.upgrade.configuration import CHANGE, DISCARD, NewRow, NotTakenOver
from openedx_ai_extensions.contrib.upgrade.old_tables import Row, as_json, as_text
from openedx_ai_extensions.core.portable import is_whole
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession
from openedx_ai_extensions.workflows.orchestrators import ScopedSessionOrchestrator, educator, orchestrator_class
from openedx_ai_extensions.workflows.orchestrators import flashcards_orchestrator as flashcards
from openedx_ai_extensions.workflows.orchestrators.threaded_orchestrator import REMOTE_THREAD_KEY
from openedx_ai_extensions.workflows.resolution import ORDER, matches

Metadata = dict[str, Any]

# Where the old metadata has cards and questions: the names in the endpoints' answers.
CARDS = (flashcards.CARDS, "flashcards", "card_stack")
QUESTIONS = (educator.SLOTS, "questions")
# Keys that have a special meaning only in our metadata.
OUR_KEYS = (REMOTE_THREAD_KEY, educator.RUN, educator.SAVED, educator.SAVING, "id")


def metadata(old: Any) -> tuple[Metadata, list[str]]:
    """A session's metadata, and notes about what could not be used."""
    if old in (None, ""):
        return {}, []
    if not isinstance(old, Mapping):
        return {}, ["its metadata is not an object"]
    new = {name: value for name, value in old.items() if name not in {*CARDS, *QUESTIONS, *OUR_KEYS}}
    cards, skipped_cards = _converted(old, CARDS, _card)
    slots, skipped_questions = _converted(old, QUESTIONS, _slot)
    seen: set[str] = set()
    for card in cards:
        if card["id"] in seen:
            card["id"] = uuid.uuid4().hex
        seen.add(card["id"])
    skipped_cards += len(cards[flashcards.MAX_STACK_CARDS :])
    if cards:
        new[flashcards.CARDS] = cards[: flashcards.MAX_STACK_CARDS]
    if slots:
        new[educator.SLOTS] = slots
    if slots or educator.NAME in old:
        new[educator.NAME] = _text(old.get(educator.NAME))
    if not isinstance(new.get(educator.URL, ""), str):
        del new[educator.URL]
    skipped = {"flashcards": skipped_cards, "questions": skipped_questions}
    return new, [f"invalid {kind} skipped: {number}" for kind, number in skipped.items() if number]


def _converted(
    old: Mapping[str, Any], names: tuple[str, ...], convert: Callable[[Any], Metadata | None]
) -> tuple[list[Metadata], int]:
    """The valid items of a list under one of these names, and the number of others."""
    found = next((old[name] for name in names if old.get(name)), None)
    if isinstance(found, Mapping):
        found = found.get("cards")
    if not isinstance(found, list):
        return [], int(found is not None)
    items = [item for item in map(convert, found) if item is not None]
    return items, len(found) - len(items)


def _card(value: Any) -> Metadata | None:
    if not isinstance(value, Mapping):
        return None
    question, answer = _text(value.get("question")), _text(value.get("answer"))
    if not question or not answer:
        return None
    identifier = str(value.get("id") or uuid.uuid4().hex)
    card = {"id": identifier, "question": question, "answer": answer, **flashcards.NEW_PROGRESS}
    for name, new in flashcards.NEW_PROGRESS.items():
        known = value.get(name)
        is_number = isinstance(known, int | float) and not isinstance(known, bool)
        if is_number or (new is None and isinstance(known, str)):
            card[name] = known
    return card


def _slot(value: Any) -> Metadata | None:
    """A slot with its versions; a question without a slot becomes its only version."""
    if not isinstance(value, Mapping):
        return None
    versions = value.get("versions", [value])
    if not isinstance(versions, list) or not versions or not all(_is_question(version) for version in versions):
        return None
    selected = value.get("selected")
    is_index = is_whole(selected) and 0 <= selected < len(versions)
    return {"id": uuid.uuid4().hex, "versions": versions, "selected": selected if is_index else len(versions) - 1}


def _is_question(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value.get("question_html")) and bool(value.get("problem_type"))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


@dataclass
class Sessions:
    """Converts sessions of profiles and scopes that were taken over.

    Attributes:
        profile_ids, scope_ids: the new ids, by old keys; in a dry run, placeholders.
        profiles, scopes: our profiles and scopes, by new ids.
    """

    profile_ids: Mapping[str, Any]
    scope_ids: Mapping[str, Any]
    profiles: Mapping[Any, AIWorkflowProfile]
    scopes: Mapping[Any, AIWorkflowScope]
    _seen: set[tuple[Any, ...]] = field(default_factory=set)

    @cached_property
    def _course_wide(self) -> set[Any]:
        return {new for new, profile in self.profiles.items() if _is_course_wide(profile)}

    def convert(self, row: Row) -> NewRow:
        """The session of a row. Only the first one for each person, workflow and location is taken over.

        Raises:
            NotTakenOver: it is another one, or its person, profile or scope does not exist.
        """
        profile, scope, notes = self._workflow(row)
        user_id: Any = row.get("user_id")
        if not get_user_model().objects.filter(pk=user_id).exists():
            raise NotTakenOver("its person no longer exists", DISCARD)
        course_id: Any = _key(CourseKey, "course_id", row) or CourseKeyField.Empty
        location_id: Any = UsageKeyField.Empty
        if profile not in self._course_wide:
            location_id = _key(UsageKey, "location_id", row) or UsageKeyField.Empty
        identity = (user_id, scope, profile, str(course_id), str(location_id))
        if identity in self._seen:
            raise NotTakenOver("the same person has a later session of this workflow at this location", DISCARD)
        self._seen.add(identity)
        new_metadata, skipped = metadata(as_json(row.get("metadata")))
        instance = AIWorkflowSession(
            user_id=user_id,
            course_id=course_id,
            location_id=location_id,
            local_submission_id=str(row.get("local_submission_id") or ""),
            remote_response_id=str(row.get("remote_response_id") or ""),
            metadata=new_metadata,
        )
        instance.profile_id, instance.scope_id = profile, scope
        return instance, [*notes, *skipped]

    def _workflow(self, row: Row) -> tuple[Any, Any, list[str]]:
        """The ids of its profile and scope, and notes. If one column is empty, the other determines it.

        Raises:
            NotTakenOver: one of them was not taken over.
        """
        profile = self.profile_ids.get(as_text(row.get("profile_id")))
        scope = self.scope_ids.get(as_text(row.get("scope_id")))
        notes: list[str] = []
        if not row.get("profile_id") and scope is not None:
            profile = self.scopes[scope].profile_id
        if not row.get("scope_id") and profile is not None:
            scope, matches = self._scope_of(profile, str(row.get("course_id") or ""), as_text(row.get("location_id")))
            if not matches:
                notes = [f"it names no scope, and no scope of its profile matches its location: it is in {scope} now"]
        if profile is None or scope is None:
            raise NotTakenOver.without("profile" if profile is None else "scope")
        return profile, scope, notes

    def _scope_of(self, profile: Any, course: str, location: str) -> tuple[Any, bool]:
        """The scope of a profile that answers at a location, and whether one does.

        If none does, the newest one of the course, or else of every course.
        """
        scopes = {pk: scope for pk, scope in self.scopes.items() if scope.profile_id == profile}
        fitting = {pk: scope for pk, scope in scopes.items() if str(scope.course_id or "") in {"", course}}
        first = sorted(fitting, key=lambda pk: (fitting[pk].enabled, *_rank(pk, fitting[pk])), reverse=True)
        found = next((pk for pk in first if matches(fitting[pk].location_regex, location)), None)
        if found is not None:
            return found, True
        return max(fitting, key=lambda pk: (bool(fitting[pk].course_id), _sortable(pk)), default=None), False


def hidden_scopes(scopes: Mapping[Any, AIWorkflowScope], conversations: Mapping[Any, int]) -> Iterator[tuple[Any, str]]:
    """Scopes with conversations that never answer, because a newer scope has the same conditions; with a note.

    Args:
        scopes: all scopes, by id.
        conversations: the number of each scope's conversations.
    """
    newest: dict[tuple[Any, ...], Any] = {}
    for pk in sorted(scopes, key=_sortable, reverse=True):
        scope = scopes[pk]
        where = (str(scope.course_id or ""), scope.ui_slot_selector_id, scope.location_regex, scope.service_variant)
        if not scope.enabled:
            continue
        other = newest.setdefault(where, pk)
        if other != pk and conversations.get(pk):
            reason = f"it never answers, because the newer scope {other} has the same course, slot, pattern and service"
            yield pk, f"{reason}; conversations that are not shown for it: {conversations[pk]}"


def _rank(pk: Any, scope: AIWorkflowScope) -> tuple[Any, ...]:
    """Greater for scopes that are tried earlier."""
    return tuple(_sortable(pk) if name == "id" else getattr(scope, name) for name in ORDER)


def _sortable(pk: Any) -> str:
    """An id, which in a dry run is a text."""
    return str(pk).zfill(20)


def require_only_session(instance: AIWorkflowSession) -> None:
    """Raises ValidationError if a session is not valid, or its person has begun a new one meanwhile."""
    instance.clean_fields(exclude={"user", "profile", "scope"})
    same = AIWorkflowSession.objects.filter(
        user_id=instance.user_id,
        scope_id=instance.scope_id,
        profile_id=instance.profile_id,
        course_id=instance.course_id or CourseKeyField.Empty,
        location_id=instance.location_id or UsageKeyField.Empty,
    )
    if same.exists():
        raise ValidationError("the same person has a new session of this workflow at this location")


def _key(kind: Any, column: str, row: Row) -> Any:
    value = str(row.get(column) or "")
    try:
        return kind.from_string(value) if value else None
    except InvalidKeyError:
        raise NotTakenOver(f"{column}: {value} is not a valid key", CHANGE.format(name=column)) from None


def _is_course_wide(profile: AIWorkflowProfile) -> bool:
    """Do the sessions of this profile have no location?"""
    try:
        return issubclass(orchestrator_class(profile.orchestrator_class or ""), ScopedSessionOrchestrator)
    except (ImportError, TypeError):
        return False
