"""Usage by day and month: sums of the ledger's rows for reports, kept when the rows are purged. See ``rollups``.

Durations are counts in fixed buckets, which can be added up over days and courses and yield percentiles.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

# Upper edges in milliseconds, each √2 times the previous one, from 0.1 seconds to 5 minutes. The last bucket has no
# upper edge. A percentile is off by less than one bucket (41 %), usually by less than half of that.
EDGES_MS = tuple(round(100 * math.sqrt(2) ** step) for step in range(24))
BUCKETS = len(EDGES_MS) + 1
FIRST_TOKEN = tuple(f"first_token_{number}" for number in range(BUCKETS))
DURATION = tuple(f"duration_{number}" for number in range(BUCKETS))


def bucket(milliseconds: int) -> int:
    """The index of the bucket for a duration."""
    return bisect_left(EDGES_MS, milliseconds)


def percentile(counts: Sequence[int], percent: int) -> int | None:
    """The duration in milliseconds that ``percent`` per cent of the runs did not exceed; None without runs.

    Durations are assumed to be spread evenly within a bucket; beyond the last edge, that edge is returned.
    """
    total = sum(counts)
    if not total:
        return None
    wanted, before = total * percent / 100, 0
    for number, count in enumerate(counts):
        if count and before + count >= wanted:
            low = EDGES_MS[number - 1] if number else 0
            high = EDGES_MS[min(number, BUCKETS - 2)]
            return round(low + (high - low) * (wanted - before) / count) if high > low else low
        before += count
    return EDGES_MS[-1]


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


# Number of runs by duration, by bucket: columns, so that the database can add them up.
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
