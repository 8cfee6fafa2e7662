"""The state of background runs: input, progress and outcome."""

from __future__ import annotations

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy
from opaque_keys.edx.django.models import UsageKeyField

from openedx_ai_extensions.workflows.models import AIWorkflowSession


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
