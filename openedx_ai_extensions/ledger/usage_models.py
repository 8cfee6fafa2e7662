"""Usage by day and month: sums of the ledger's rows for reports, kept when the rows are purged. See ``rollups``."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.ledger.histogram import BUCKETS

FIRST_TOKEN = tuple(f"first_token_{number}" for number in range(BUCKETS))
DURATION = tuple(f"duration_{number}" for number in range(BUCKETS))


class RollupLevel(models.TextChoices):
    """What a row sums up. Precomputed levels keep reports fast."""

    DAY = "day"
    MONTH = "month"
    SITE = "site"  # one day of all courses together


class Usage(models.Model):
    """The sums of the runs that have some fields in common."""

    key = models.CharField(max_length=40, unique=True)  # hash of the common fields, exact on every database
    level = models.CharField(max_length=5, choices=RollupLevel.choices)
    day = models.DateField()  # for a month, its first day

    completed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)  # runs that called a provider
    cached = models.PositiveIntegerField(default=0)  # runs answered from the response cache
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    cached_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cost_micros = models.PositiveBigIntegerField(default=0)

    class Meta:
        abstract = True


class AIUsageByPlace(Usage):
    """Usage per day or month of a course, a profile, and a provider's model."""

    course_id = models.CharField(max_length=255, blank=True)
    profile_slug = models.CharField(max_length=100, blank=True)
    provider = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = gettext_lazy("AI usage report")
        verbose_name_plural = gettext_lazy("AI usage report")
        default_permissions = ()
        permissions = (("view_usage_report", gettext_lazy("Can view the AI usage report")),)
        indexes = (
            models.Index(fields=["level", "day"], name="ai_usage_day"),
            models.Index(fields=["level", "course_id", "day"], name="ai_usage_course"),
        )

    def __str__(self) -> str:
        return f"{self.level} {self.day}: {self.course_id} {self.profile_slug} {self.provider} {self.model}"


# Number of runs by duration, in the buckets of ``histogram``: columns, so that the database can add them up.
for _name in (*FIRST_TOKEN, *DURATION):
    AIUsageByPlace.add_to_class(_name, models.PositiveIntegerField(default=0))


class AIUsageByPerson(Usage):
    """Usage of a person per day or month. Deleted with the person."""

    # No constraint: a person may be deleted while recent runs are being counted.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_constraint=False)

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=["level", "day", "user", "cost_micros", "requests"], name="ai_usage_person"),)

    def __str__(self) -> str:
        return f"{self.level} {self.day}: {self.user_id}"
