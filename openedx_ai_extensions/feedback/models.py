"""The model of feedback."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy
from opaque_keys.edx.django.models import CourseKeyField, UsageKeyField

from openedx_ai_extensions.core.cache import bump_version
from openedx_ai_extensions.workflows.models import AIWorkflowProfile

MAX_TEXT_CHARS = 2000
MAX_RUN_ID_CHARS = 64


class AnswerFeedback(models.Model):
    """What a person says about an answer, and the staff's note to that person. Deleted with the person.

    Person, place, profile and model are copied from the run, because old runs are deleted from the ledger. The question
    and the answer are not copied: they are only in the session.
    """

    class Rating(models.TextChoices):
        UP = "up", gettext_lazy("Helpful")
        DOWN = "down", gettext_lazy("Not helpful")

    class Reason(models.TextChoices):
        WRONG = "wrong", gettext_lazy("It is wrong")
        NOT_HELPFUL = "not_helpful", gettext_lazy("It does not help me")
        UNCLEAR = "unclear", gettext_lazy("It is hard to understand")
        OFFENSIVE = "offensive", gettext_lazy("It is offensive or harmful")
        OTHER = "other", gettext_lazy("Something else")

    class State(models.TextChoices):
        OPEN = "open", gettext_lazy("Open")
        ANSWERED = "answered", gettext_lazy("Answered")
        CLOSED = "closed", gettext_lazy("Closed")

    run_id = models.CharField(gettext_lazy("run"), max_length=MAX_RUN_ID_CHARS)
    # No constraints in the database: the previous release deletes people and profiles without knowing this table.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="+",
        verbose_name=gettext_lazy("person"),
        db_constraint=False,
    )
    course_id = CourseKeyField(gettext_lazy("course"), max_length=255, blank=True)
    location_id = UsageKeyField(gettext_lazy("location"), max_length=255, blank=True)
    profile = models.ForeignKey(
        AIWorkflowProfile,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=gettext_lazy("profile"),
        db_constraint=False,
    )
    profile_slug = models.CharField(gettext_lazy("profile's slug"), max_length=100, blank=True)
    profile_version = models.PositiveIntegerField(gettext_lazy("profile's version"), null=True)
    action = models.CharField(gettext_lazy("action"), max_length=64, blank=True)
    provider = models.CharField(gettext_lazy("provider"), max_length=100, blank=True)
    model = models.CharField(gettext_lazy("model"), max_length=150, blank=True)
    answered_at = models.DateTimeField(gettext_lazy("time of the answer"))

    rating = models.CharField(gettext_lazy("rating"), max_length=10, choices=Rating.choices, blank=True)
    reason = models.CharField(gettext_lazy("reason"), max_length=20, choices=Reason.choices, blank=True)
    text = models.TextField(gettext_lazy("text"), blank=True)
    reported = models.BooleanField(gettext_lazy("reported"), default=False)
    created_at = models.DateTimeField(gettext_lazy("created"), auto_now_add=True)
    changed_at = models.DateTimeField(gettext_lazy("changed by the person"))

    state = models.CharField(gettext_lazy("state"), max_length=10, choices=State.choices, default=State.OPEN)
    note = models.TextField(
        gettext_lazy("note"), blank=True, max_length=MAX_TEXT_CHARS, help_text=gettext_lazy("The person reads it.")
    )
    note_is_unread = models.BooleanField(gettext_lazy("note is not read yet"), default=False)
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=gettext_lazy("note by"),
        db_constraint=False,
    )

    class Meta:
        verbose_name = gettext_lazy("feedback on an AI answer")
        verbose_name_plural = gettext_lazy("feedback on AI answers")
        default_permissions = ("view", "change")
        constraints = (models.UniqueConstraint(fields=["run_id", "user"], name="ai_feedback_of_run"),)
        indexes = (
            models.Index(fields=["note_is_unread", "user"], name="ai_feedback_notes"),
            models.Index(fields=["course_id", "state"], name="ai_feedback_course"),
            models.Index(fields=["state", "changed_at"], name="ai_feedback_queue"),
        )

    def __str__(self) -> str:
        return self.run_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        if self.note_is_unread:
            bump_version(self._state.db)  # every process knows who has unread notes

    def as_dict(self) -> dict[str, Any]:
        """What its person may read, JSON-serialisable."""
        names = ("run_id", "rating", "reason", "text", "reported", "state", "note")
        return {name: getattr(self, name) for name in names}
