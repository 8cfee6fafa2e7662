"""What learners do: rate and report answers, and read the staff's notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.db import router, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core.cache import cached_until_changed
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import AnswerNotFound, NotAllowed
from openedx_ai_extensions.feedback.models import AnswerFeedback
from openedx_ai_extensions.ledger.models import AIWorkflowRun
from openedx_ai_extensions.workflows.models import AIWorkflowProfile, AIWorkflowProfileVersion

MAX_NOTES = 5  # shown at once
MAX_READERS = 1000
MAX_CACHE_SECONDS = 30.0  # if there is no shared cache
SAID = ("rating", "reason", "text", "reported")  # the fields that the person fills in


def asks_for_feedback(profile: AIWorkflowProfile) -> bool:
    """May people rate the answers of this profile?"""
    return _option(profile, "feedback")


def tracks_feedback(profile: AIWorkflowProfile) -> bool:
    """Is an event sent for ratings and reports?"""
    return _option(profile, "trackFeedback")


def _option(profile: AIWorkflowProfile, name: str) -> bool:
    response: Mapping[str, Any] = profile.get_ui_components().get("response", {})
    return response.get("config", {}).get(name) is True


def give(
    user: Person, run_id: str, *, rating: str = "", reason: str = "", text: str = "", reported: bool = False
) -> tuple[AnswerFeedback, frozenset[str]]:
    """Store what a person says about an answer, in place of what the same person said about it before.

    Args:
        rating: one of ``AnswerFeedback.Rating``, or empty.
        reason: one of ``AnswerFeedback.Reason``, or empty.
        text: at most ``MAX_TEXT_CHARS`` characters, or empty.
        reported: the person wants the staff to look at the answer.

    Returns:
        The feedback, and the names of the fields of ``SAID`` that changed. If the person says nothing any more, the
        feedback is deleted and has no primary key.

    Raises:
        AnswerNotFound: this person has no answer with this id, or its profile was deleted.
        NotAllowed: the profile does not ask for feedback.
    """
    said = {"rating": rating, "reason": reason, "text": text.strip(), "reported": reported}
    with transaction.atomic(using=router.db_for_write(AnswerFeedback)):
        # Locked: of two requests at once, the second changes what the first has stored. A retirement, which removes the
        # person from this row first, then finds what was stored.
        runs = AIWorkflowRun.objects.select_for_update().filter(run_id=run_id, user_id=cast("int", user.pk))
        run = runs.exclude(outcome=AIWorkflowRun.Outcome.REFUSED).order_by("-pk").first()
        # The column may name a profile that was deleted, as it has no constraint.
        profile = AIWorkflowProfile.objects.filter(pk=run.profile_id or 0).first() if run is not None else None
        if run is None or profile is None:
            raise AnswerNotFound
        if not asks_for_feedback(profile):
            raise NotAllowed(_("No feedback is collected here."))
        rows = AnswerFeedback.objects.select_for_update().filter(run_id=run_id, user_id=cast("int", user.pk))
        feedback = rows.first() or _new(run)
        changes = frozenset(name for name in SAID if getattr(feedback, name) != said[name])
        for name, value in said.items():
            setattr(feedback, name, value)
        if not any(said.values()):
            if feedback.pk is not None:
                feedback.delete()
        elif changes:
            is_praise = rating == AnswerFeedback.Rating.UP and not (feedback.text or reported)
            feedback.state = AnswerFeedback.State.CLOSED if is_praise else AnswerFeedback.State.OPEN
            feedback.changed_at = timezone.now()
            feedback.save()
    return feedback, changes


def _new(run: AIWorkflowRun) -> AnswerFeedback:
    """Feedback on a run, not stored yet. The profile's version is the one that was current when the run began."""
    versions = AIWorkflowProfileVersion.objects.filter(profile_id=run.profile_id, created_at__lte=run.created_at)
    return AnswerFeedback(
        run_id=run.run_id,
        user=run.user,
        course_id=run.course_id,
        location_id=run.location_id,
        profile_id=run.profile_id,
        profile_slug=run.profile_slug,
        profile_version=versions.order_by("-number").values_list("number", flat=True).first(),
        action=run.action,
        provider=run.provider,
        model=run.model,
        answered_at=run.created_at,
    )


@cached_until_changed(lambda: MAX_CACHE_SECONDS)
def _readers() -> frozenset[int] | None:
    """The people who have notes to read; None if they are too many to remember. Saves most page views a query."""
    rows = AnswerFeedback.objects.filter(note_is_unread=True)
    people = list(rows.order_by("user_id").values_list("user_id", flat=True).distinct()[: MAX_READERS + 1])
    return frozenset(people) if len(people) <= MAX_READERS else None


def unread_notes(user: Person, profile: AIWorkflowProfile, course_id: CourseKey | None) -> list[AnswerFeedback]:
    """The feedback with a note that this person has not read yet, of a profile in a course. The newest first."""
    readers = _readers()
    if readers is not None and user.pk not in readers:
        return []
    rows = AnswerFeedback.objects.filter(user_id=cast("int", user.pk), note_is_unread=True)
    return list(rows.filter(profile=profile, course_id=course_id or CourseKeyField.Empty).order_by("-pk")[:MAX_NOTES])


def mark_note_read(user: Person, run_id: str) -> AnswerFeedback:
    """Do not show the note any more.

    Raises:
        AnswerNotFound: this person has given no feedback on this answer.
    """
    feedback = AnswerFeedback.objects.filter(run_id=run_id, user_id=cast("int", user.pk)).first()
    if feedback is None:
        raise AnswerNotFound
    if feedback.note_is_unread:
        feedback.note_is_unread = False
        feedback.save(update_fields=["note_is_unread"])
    return feedback


def feedback_of(user: Person, run_ids: Iterable[str]) -> Mapping[str, AnswerFeedback]:
    """This person's feedback on these answers, by run."""
    rows = AnswerFeedback.objects.filter(user_id=cast("int", user.pk), run_id__in=list(run_ids))
    return {row.run_id: row for row in rows}
