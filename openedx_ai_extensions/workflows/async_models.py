"""A run in the background: what was asked, how far it is, what became of it."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _lazy
from opaque_keys.edx.django.models import UsageKeyField

from openedx_ai_extensions.workflows.models import AIWorkflowSession


class AIWorkflowAsyncRun(models.Model):
    """The last run that a session had in the background; it goes with its session.

    A row of its own, as other writers of a session rewrite its metadata whole. Every change of ``status`` is an update
    that names the status before, so that one of several writers wins.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _lazy("queued")
        RUNNING = "running", _lazy("running")
        COMPLETED = "completed", _lazy("completed")
        FAILED = "failed", _lazy("failed")
        TIMEOUT = "timeout", _lazy("timed out")
        CANCELLED = "cancelled", _lazy("cancelled")

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    session = models.OneToOneField(
        AIWorkflowSession, on_delete=models.CASCADE, related_name="async_run", verbose_name=_lazy("session")
    )
    task_id = models.CharField(_lazy("task"), max_length=64, unique=True)
    status = models.CharField(_lazy("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)
    user_input = models.JSONField(_lazy("input"), null=True, help_text=_lazy("Kept until the run is over."))
    location_id = UsageKeyField(_lazy("location"), max_length=255, blank=True)
    ui_slot_selector_id = models.CharField(_lazy("widget slot"), max_length=255, blank=True, default="")
    service_variant = models.CharField(_lazy("service"), max_length=10)
    language = models.CharField(_lazy("language"), max_length=35, blank=True, default="")
    progress = models.FloatField(_lazy("progress"), null=True, help_text=_lazy("From 0 to 1; empty when not known."))
    message = models.CharField(_lazy("message"), max_length=255, blank=True, default="")
    answer = models.JSONField(_lazy("answer"), null=True, encoder=DjangoJSONEncoder)
    error = models.TextField(_lazy("error"), blank=True, default="")
    code = models.CharField(_lazy("error code"), max_length=64, blank=True, default="")
    queued_at = models.DateTimeField(_lazy("queued"))
    started_at = models.DateTimeField(_lazy("started"), null=True)
    lease_until = models.DateTimeField(
        _lazy("lease"), null=True, help_text=_lazy("The worker renews it while it is alive.")
    )
    ended_at = models.DateTimeField(_lazy("ended"), null=True)

    class Meta:
        verbose_name = _lazy("AI workflow background run")
        verbose_name_plural = _lazy("AI workflow background runs")

    def __str__(self) -> str:
        return f"{self.task_id}: {self.status}"

    @property
    def is_active(self) -> bool:
        """Is it waiting, or at work?"""
        return self.status in self.ACTIVE
