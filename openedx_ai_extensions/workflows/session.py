"""Sessions: what a workflow stores for a person, and their background runs. Import them from ``models``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models
from django.utils import timezone
from django.utils.translation import gettext_lazy
from opaque_keys.edx.django.models import CourseKeyField, UsageKeyField
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import hooks
from openedx_ai_extensions.prompts.citations import Citation, moved, utf16_length

_KEPT_ANSWER = "kept_answer"  # in the metadata of a session


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
        # Every turn of a conversation does it, and building the query with the ORM takes longer than running it.
        place = (user.pk, scope.pk, scope.profile.pk, str(course_id or ""), str(location_id or ""))
        session = next(iter(self.raw(_find_sql(self.db), place)), None)
        if session is None:
            fields = {
                "user": user,
                "scope": scope,
                "profile": scope.profile,
                "course_id": course_id or CourseKeyField.Empty,
                "location_id": location_id or UsageKeyField.Empty,
            }
            session = self.get_or_create(**fields)[0] if creates else self.model(**fields)
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


@lru_cache(maxsize=8)
def _find_sql(alias: str) -> str:
    quote = connections[alias].ops.quote_name
    names = ("user_id", "scope_id", "profile_id", "course_id", "location_id")
    wanted = " AND ".join(f"{quote(name)} = %s" for name in names)
    return f"SELECT * FROM {quote(AIWorkflowSession._meta.db_table)} WHERE {wanted}"  # noqa: S608  # our names


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

    @property
    def kept_answer(self) -> dict[str, Any] | None:
        """The last answer of a workflow without a conversation; None if there is none.

        Returns:
            ``question`` (empty if the person wrote nothing), ``text``, ``finish_reason`` (see
            ``execution.answers.FinishReason``), ``answered_at`` (ISO 8601, UTC), ``run_id`` (missing in answers of
            earlier versions) and, if there are some, ``citations`` (see ``prompts.citations.CitationReader``).
        """
        kept: dict[str, Any] | None = self.metadata.get(_KEPT_ANSWER)
        return kept

    def keep_answer(
        self,
        *,
        question: str,
        text: str,
        finish_reason: str,
        continues: bool,
        citations: Sequence[Citation] = (),
        run_id: str = "",
    ) -> None:
        """Replace the kept answer. Without effect if the session was deleted meanwhile, or the text is empty.

        Args:
            question, text, finish_reason, citations, run_id: see ``kept_answer``.
            continues: the text continues the kept answer, if there is one.
        """
        if not text.strip():
            return
        before = self.kept_answer if continues else None
        if before:
            citations = [*before.get("citations", ()), *moved(citations, utf16_length(before["text"]))]
            question, text = before["question"], before["text"] + text
        now = timezone.now()
        kept: dict[str, Any] = {
            "question": question,
            "text": text,
            "finish_reason": finish_reason,
            "answered_at": now.isoformat(),
            "run_id": run_id,
        }
        if citations:
            kept["citations"] = list(citations)
        metadata = {**self.metadata, _KEPT_ANSWER: kept}
        AIWorkflowSession.objects.filter(pk=self.pk).update(metadata=metadata, updated_at=now)

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


class AIWorkflowAsyncRun(models.Model):
    """The latest background run of a session; deleted with the session.

    A separate table, because other code rewrites a session's metadata as a whole. Every change of ``status`` is an
    update that filters by the previous status, so that only one of several writers succeeds.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", gettext_lazy("queued")
        RUNNING = "running", gettext_lazy("running")
        COMPLETED = "completed", gettext_lazy("completed")
        FAILED = "failed", gettext_lazy("failed")
        TIMEOUT = "timeout", gettext_lazy("timed out")
        CANCELLED = "cancelled", gettext_lazy("cancelled")

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    session = models.OneToOneField(
        AIWorkflowSession, on_delete=models.CASCADE, related_name="async_run", verbose_name=gettext_lazy("session")
    )
    task_id = models.CharField(gettext_lazy("task"), max_length=64, unique=True)
    status = models.CharField(gettext_lazy("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)
    user_input = models.JSONField(
        gettext_lazy("input"), null=True, help_text=gettext_lazy("Deleted when the run ends.")
    )
    location_id = UsageKeyField(gettext_lazy("location"), max_length=255, blank=True)
    ui_slot_selector_id = models.CharField(gettext_lazy("widget slot"), max_length=255, blank=True, default="")
    service_variant = models.CharField(gettext_lazy("service"), max_length=10)
    language = models.CharField(gettext_lazy("language"), max_length=35, blank=True, default="")
    progress = models.FloatField(
        gettext_lazy("progress"), null=True, help_text=gettext_lazy("From 0 to 1; empty if unknown.")
    )
    message = models.CharField(gettext_lazy("message"), max_length=255, blank=True, default="")
    answer = models.JSONField(gettext_lazy("answer"), null=True, encoder=DjangoJSONEncoder)
    error = models.TextField(gettext_lazy("error"), blank=True, default="")
    # As ``core.messages`` stores it, to be shown in the reader's language; None in rows of older versions.
    error_parts = models.JSONField(null=True, editable=False)
    code = models.CharField(gettext_lazy("error code"), max_length=64, blank=True, default="")
    queued_at = models.DateTimeField(gettext_lazy("queued"))
    started_at = models.DateTimeField(gettext_lazy("started"), null=True)
    lease_until = models.DateTimeField(
        gettext_lazy("lease"), null=True, help_text=gettext_lazy("The worker renews it while it is running.")
    )
    ended_at = models.DateTimeField(gettext_lazy("ended"), null=True)

    class Meta:
        verbose_name = gettext_lazy("AI workflow background run")
        verbose_name_plural = gettext_lazy("AI workflow background runs")

    def __str__(self) -> str:
        return f"{self.task_id}: {self.status}"

    @property
    def is_active(self) -> bool:
        """Is the run queued or running?"""
        return self.status in self.ACTIVE


class AIWorkerLease(models.Model):
    """A worker that is busy with a person's run.

    A separate table, because the row of the run may be deleted or reused as soon as the person cancels it.
    """

    task_id = models.CharField(gettext_lazy("task"), max_length=64, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name=gettext_lazy("person"))
    until = models.DateTimeField(
        gettext_lazy("lease"), help_text=gettext_lazy("The worker renews it while it is running.")
    )

    class Meta:
        default_permissions = ()
        verbose_name = gettext_lazy("worker of a background run")
        verbose_name_plural = gettext_lazy("workers of background runs")

    def __str__(self) -> str:
        return self.task_id
