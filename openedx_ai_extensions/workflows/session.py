"""Sessions: what a workflow stores for a person. Import them from ``workflows.models``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy
from opaque_keys.edx.django.models import CourseKeyField, UsageKeyField
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import hooks


class SessionManager(models.Manager["AIWorkflowSession"]):
    """Finds the session of a person and a workflow at a location."""

    def for_context(
        self,
        *,
        user: Any,
        scope: Any,
        course_id: CourseKey | None = None,
        location_id: UsageKey | None = None,
        creates: bool = True,
    ) -> AIWorkflowSession:
        """The session. If there is none, it is created: at once, or only when it is saved. Concurrent requests get the
        same one.
        """
        fields = {
            "user": user,
            "scope": scope,
            "profile": scope.profile,
            "course_id": course_id or CourseKeyField.Empty,
            "location_id": location_id or UsageKeyField.Empty,
        }
        session = self.get_or_create(**fields)[0] if creates else self.filter(**fields).first() or self.model(**fields)
        # Avoids further queries.
        session.user, session.scope, session.profile = user, scope, scope.profile
        return session

    def in_memory(
        self, *, user: Any, scope: Any, course_id: CourseKey | None, location_id: UsageKey | None
    ) -> AIWorkflowSession:
        """A new session that is never stored."""
        session = self.model(
            user=user, scope=scope, profile=scope.profile, course_id=course_id or "", location_id=location_id or ""
        )
        session.is_in_memory = True
        return session


class AIWorkflowSession(models.Model):
    """A person's conversation or draft in a workflow."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name=gettext_lazy("person"))
    scope = models.ForeignKey(
        "openedx_ai_extensions.AIWorkflowScope", on_delete=models.CASCADE, verbose_name=gettext_lazy("scope")
    )
    profile = models.ForeignKey(
        "openedx_ai_extensions.AIWorkflowProfile", on_delete=models.CASCADE, verbose_name=gettext_lazy("profile")
    )
    course_id = CourseKeyField(gettext_lazy("course"), max_length=255, blank=True)
    location_id = UsageKeyField(gettext_lazy("location"), max_length=255, blank=True)
    local_submission_id = models.CharField(gettext_lazy("local submission"), max_length=255, blank=True, default="")
    # A provider names its responses, at any length.
    remote_response_id = models.TextField(gettext_lazy("remote response"), blank=True, default="")
    metadata = models.JSONField(gettext_lazy("metadata"), default=dict, blank=True)
    created_at = models.DateTimeField(gettext_lazy("created"), auto_now_add=True)
    updated_at = models.DateTimeField(gettext_lazy("updated"), auto_now=True)

    objects = SessionManager()

    is_in_memory = False

    class Meta:
        verbose_name = gettext_lazy("AI workflow session")
        verbose_name_plural = gettext_lazy("AI workflow sessions")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "scope", "profile", "course_id", "location_id"], name="ai_session_unique"
            )
        ]
        indexes = [
            models.Index(fields=["-updated_at"], name="ai_session_latest"),
            models.Index(fields=["course_id", "-updated_at"], name="ai_session_course_latest"),
        ]
        # A separate permission: seeing that a session exists does not include reading the conversation.
        permissions = [("view_transcript", "Can read the transcript of an AI workflow session")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.profile_id} / {self.user_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the session, unless it exists only in memory."""
        if self.is_in_memory:
            return
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "updated_at"}
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the session, unless it is not stored."""
        return (0, {}) if self.pk is None else super().delete(*args, **kwargs)

    def get_local_thread(self) -> list[dict[str, Any]] | None:
        """All stored messages, in chronological order; None if there are none.

        Each is ``{"role", "content", "timestamp", "submission_id"}`` and, depending on its kind, ``status``
        (``interrupted`` or ``failed``), ``tool_calls``, ``tool_call_id`` and ``name``.
        """
        thread: list[dict[str, Any]] | None = hooks.worker("local_thread")(self)
        return thread

    def get_remote_thread(self) -> list[dict[str, Any]] | None:
        """The responses that the provider stores, in chronological order; None if the session has no provider thread.

        Each is the provider's dictionary (OpenAI's Responses API) with its complete input under ``input``. A response
        that cannot be fetched is ``{"id", "error": {"code", "message"}}``, and nothing before it is included.
        """
        thread: list[dict[str, Any]] | None = hooks.worker("remote_thread")(self)
        return thread

    def get_combined_thread(self) -> list[dict[str, Any]] | None:
        """Both threads merged, in chronological order; None if there is neither.

        The provider's thread is the base, with its system messages, reasoning and tool calls, each once. The stored one
        adds ``submission_id``, ``timestamp``, and messages that only it contains. Each entry has a ``source``:
        ``remote``, ``local`` or ``both``.
        """
        thread: list[dict[str, Any]] | None = hooks.worker("combined_thread")(self)
        return thread
