"""Models of the ledger: runs, totals, the limits that admins set, and usage by day and month.

The sums by day and month are for reports, and kept when the rows are purged; see ``rollups``. Durations are counts in
fixed buckets, which can be added up over days and courses and yield percentiles.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.django.models import CourseKeyField, UsageKeyField

from openedx_ai_extensions.ledger.periods import Period
from openedx_ai_extensions.workflows.configuration import ConfigurationModel, ConfigurationQuerySet
from openedx_ai_extensions.workflows.models import AIWorkflowProfile

# Upper edges in milliseconds, each √2 times the previous one, from 0.1 seconds to 5 minutes. The last bucket has no
# upper edge. A percentile is off by less than one bucket (41 %), usually by less than half of that.
EDGES_MS = tuple(round(100 * math.sqrt(2) ** step) for step in range(24))
BUCKETS = len(EDGES_MS) + 1
FIRST_TOKEN = tuple(f"first_token_{number}" for number in range(BUCKETS))
DURATION = tuple(f"duration_{number}" for number in range(BUCKETS))


class AIWorkflowRun(models.Model):
    """One run of a workflow: person, place, cost and outcome. It contains no text of the conversation.

    Written before the provider is called, with the reserved amounts; settled at the end.
    """

    class Outcome(models.TextChoices):
        RUNNING = "running", gettext_lazy("running")
        COMPLETED = "completed", gettext_lazy("completed")
        FAILED = "failed", gettext_lazy("failed")
        CANCELLED = "cancelled", gettext_lazy("cancelled")
        REFUSED = "refused", gettext_lazy("refused")
        LOST = "lost", gettext_lazy("lost")  # the process died

    run_id = models.CharField(gettext_lazy("run"), max_length=64, db_index=True)
    created_at = models.DateTimeField(gettext_lazy("time"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=gettext_lazy("person"),
        db_constraint=False,  # avoids locks on the rows of the person and the profile
        db_index=False,  # covered by the index with created_at
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
    ui_slot_selector_id = models.CharField(gettext_lazy("widget slot"), max_length=255, blank=True)
    action = models.CharField(gettext_lazy("action"), max_length=64, blank=True)
    service_variant = models.CharField(gettext_lazy("service"), max_length=10)

    provider = models.CharField(gettext_lazy("provider"), max_length=100, blank=True)
    model = models.CharField(gettext_lazy("model"), max_length=150, blank=True)
    fallback_from = models.CharField(
        gettext_lazy("fallback from"),
        max_length=255,
        blank=True,
        help_text=gettext_lazy("Providers that were called first and failed."),
    )
    calls = models.PositiveIntegerField(gettext_lazy("provider calls"), default=0)
    prompt_tokens = models.PositiveBigIntegerField(gettext_lazy("prompt tokens"), default=0)
    cached_tokens = models.PositiveBigIntegerField(
        gettext_lazy("cached tokens"),
        default=0,
        help_text=gettext_lazy("Prompt tokens that the provider read from its cache."),
    )
    completion_tokens = models.PositiveBigIntegerField(gettext_lazy("completion tokens"), default=0)
    is_estimated = models.BooleanField(
        gettext_lazy("estimated"),
        default=False,
        help_text=gettext_lazy("The provider did not report the number of tokens."),
    )
    is_cached = models.BooleanField(
        gettext_lazy("from cache"),
        default=False,
        help_text=gettext_lazy("Answered from the response cache, at no cost."),
    )
    cost_micros = models.PositiveBigIntegerField(
        gettext_lazy("cost"), default=0, help_text=gettext_lazy("In millionths of the site's currency.")
    )
    price_source = models.CharField(gettext_lazy("price source"), max_length=10, blank=True)
    first_token_ms = models.PositiveIntegerField(gettext_lazy("time to first token"), null=True)
    duration_ms = models.PositiveIntegerField(gettext_lazy("duration"), null=True)

    outcome = models.CharField(gettext_lazy("outcome"), max_length=10, choices=Outcome.choices)
    finish_reason = models.CharField(
        gettext_lazy("finish reason"),
        max_length=20,
        blank=True,
        help_text=gettext_lazy(
            "How the model's last answer ended: stop when it was complete, otherwise why it was cut off."
        ),
    )
    error_code = models.CharField(gettext_lazy("error code"), max_length=64, blank=True)
    refused_by = models.CharField(
        gettext_lazy("refused by"), max_length=100, blank=True, help_text=gettext_lazy("The limit or rule.")
    )
    times = models.PositiveIntegerField(
        gettext_lazy("times"),
        default=1,
        help_text=gettext_lazy("Repeated refusals of a person for the same reason within minutes are one row."),
    )

    held_tokens = models.PositiveBigIntegerField(gettext_lazy("reserved tokens"), default=0)
    held_micros = models.PositiveBigIntegerField(gettext_lazy("reserved cost"), default=0)
    held_until = models.DateTimeField(gettext_lazy("reserved until"), null=True)
    is_counted = models.BooleanField(gettext_lazy("counted"), default=False)

    class Meta:
        verbose_name = gettext_lazy("AI workflow run")
        verbose_name_plural = gettext_lazy("AI workflow runs")
        default_permissions = ("view", "delete")
        indexes = (
            models.Index(fields=["is_counted", "id"], name="ai_run_uncounted"),
            models.Index(fields=["created_at"], name="ai_run_time"),
            models.Index(fields=["user", "created_at"], name="ai_run_person"),
            models.Index(fields=["course_id", "created_at"], name="ai_run_course"),
        )

    def __str__(self) -> str:
        return f"{self.run_id}: {self.outcome}"

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class AIUsageTotal(models.Model):
    """The usage of one subject (person, course, site…) in its current period, see ``counters``."""

    key = models.CharField(max_length=320, unique=True)
    starts_at = models.DateTimeField()
    requests = models.BigIntegerField(default=0)
    tokens = models.BigIntegerField(default=0)
    micros = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.key


class AILimit(ConfigurationModel):
    """A limit for a period. Of several limits for the same thing and period only the most specific one applies."""

    class Per(models.TextChoices):
        SITE = "site", gettext_lazy("the whole site")
        PROVIDER = "provider", gettext_lazy("each provider")
        COURSE = "course", gettext_lazy("each course")
        PROFILE = "profile", gettext_lazy("each profile")
        PERSON = "person", gettext_lazy("each person")

    class Tier(models.TextChoices):
        EVERYONE = "", gettext_lazy("everyone")
        STAFF = "staff", gettext_lazy("course staff and site staff")

    per = models.CharField(gettext_lazy("limit for"), max_length=10, choices=Per.choices)
    period = models.CharField(gettext_lazy("period"), max_length=10, choices=Period.choices)
    requests = models.PositiveIntegerField(
        gettext_lazy("requests"), null=True, blank=True, help_text=gettext_lazy("Empty: no limit. 0: none allowed.")
    )
    tokens = models.PositiveBigIntegerField(
        gettext_lazy("tokens"), null=True, blank=True, help_text=gettext_lazy("Empty: no limit. 0: none allowed.")
    )
    money = models.DecimalField(
        gettext_lazy("money"),
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=gettext_lazy("In the site's currency. Empty: no limit. 0: only free models."),
    )
    tier = models.CharField(
        gettext_lazy("applies to"),
        max_length=10,
        choices=Tier.choices,
        blank=True,
        default="",
        help_text=gettext_lazy("Replaces the limit for everyone. Only for limits per person."),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("only this person"),
    )
    course_id = CourseKeyField(
        gettext_lazy("only in this course"),
        max_length=255,
        blank=True,
        help_text=gettext_lazy("A limit per person then counts only usage in this course."),
    )
    profile = models.ForeignKey(
        AIWorkflowProfile,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("only this profile"),
        help_text=gettext_lazy("A limit per person then counts only usage of this profile."),
    )
    provider = models.CharField(
        gettext_lazy("only this provider"),
        max_length=100,
        blank=True,
        help_text=gettext_lazy("Name of an entry of the setting AI_EXTENSIONS."),
    )
    enabled = models.BooleanField(gettext_lazy("enabled"), default=True)

    objects = ConfigurationQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("AI limit")
        verbose_name_plural = gettext_lazy("AI limits")
        ordering = ("per", "period", "pk")

    # The fields that may restrict a limit, by what it is for.
    NARROWED_BY = {
        Per.SITE: frozenset(),
        Per.PROVIDER: frozenset({"provider"}),
        Per.COURSE: frozenset({"course_id"}),
        Per.PROFILE: frozenset({"profile"}),
        Per.PERSON: frozenset({"tier", "user", "course_id", "profile"}),
    }

    def __str__(self) -> str:
        return f"{self.get_per_display()} / {self.get_period_display()}"

    def clean(self) -> None:
        """Check that the fields fit together.

        Raises:
            ValidationError: by field.
        """
        super().clean()
        problems: dict[str, Any] = {}
        for name in ("tier", "user", "course_id", "profile", "provider"):
            if getattr(self, name) and self.per in self.Per.values and name not in self.NARROWED_BY[self.Per(self.per)]:
                problems[name] = _("A limit for {what} cannot be narrowed by this.").format(what=self.get_per_display())
        if self.per == self.Per.PERSON and self.course_id and self.profile_id:
            problems["profile"] = _("Choose a course or a profile, not both.")
        if problems:
            raise ValidationError(problems)


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
