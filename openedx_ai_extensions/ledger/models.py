"""Models of the ledger: runs, totals, and the limits that admins set."""

from __future__ import annotations

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
