"""Models of the site's rules: pauses, notices and consents."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.forms import DateTimeField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.django.models import CourseKeyField

from openedx_ai_extensions.workflows.configuration import ConfigurationModel, ConfigurationQuerySet, checked_pattern
from openedx_ai_extensions.workflows.models import AIWorkflowProfile

MIN_YEAR, MAX_YEAR = 2000, 2999  # of a pause


def period_of(starts_at: datetime | None, ends_at: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Both times of a pause, with None for a beginning, or an end, so far away that it stands for always."""
    always = starts_at is not None and starts_at.year < MIN_YEAR
    for_good = ends_at is not None and ends_at.year > MAX_YEAR
    return None if always else starts_at, None if for_good else ends_at


class AIPause(ConfigurationModel):
    """A pause of AI: for the whole site or a part of it; always or at certain times."""

    course_id = CourseKeyField(gettext_lazy("only in this course"), max_length=255, blank=True)
    profile = models.ForeignKey(
        AIWorkflowProfile,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("only this profile"),
    )
    location_regex = models.CharField(
        gettext_lazy("only at these locations"),
        max_length=1000,
        null=True,
        blank=True,
        help_text=gettext_lazy(
            "A regular expression. It applies to every location whose usage key matches, and to everything inside. "
            "Elsewhere, the AI does not read these locations. It does not apply to course staff or in Studio."
        ),
    )
    weekdays = models.CharField(
        gettext_lazy("on these days"),
        max_length=7,
        blank=True,
        validators=[RegexValidator("^[0-6]*$")],
        help_text=gettext_lazy("Choose none for every day."),
    )
    from_time = models.TimeField(
        gettext_lazy("start time"), null=True, blank=True, help_text=gettext_lazy("In the site's time zone.")
    )
    to_time = models.TimeField(
        gettext_lazy("end time"),
        null=True,
        blank=True,
        help_text=gettext_lazy("On the next day, if it is not later than the start time."),
    )
    starts_at = models.DateTimeField(gettext_lazy("not before"), null=True, blank=True)
    ends_at = models.DateTimeField(
        gettext_lazy("until"), null=True, blank=True, help_text=gettext_lazy("Empty: until further notice.")
    )
    message = models.CharField(
        gettext_lazy("message"),
        max_length=500,
        blank=True,
        help_text=gettext_lazy("Shown in place of the default text."),
    )
    enabled = models.BooleanField(gettext_lazy("enabled"), default=True)
    # Course staff may lift only the pauses that course staff have set.
    is_of_course_staff = models.BooleanField(gettext_lazy("set by course staff"), default=False, editable=False)
    switched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=gettext_lazy("last switched by"),
    )
    switched_at = models.DateTimeField(gettext_lazy("last switched"), null=True, editable=False)

    objects = ConfigurationQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("AI pause")
        verbose_name_plural = gettext_lazy("AI pauses")
        ordering = ("pk",)

    def __str__(self) -> str:
        parts = [str(self.course_id or ""), self.profile.slug if self.profile else "", self.location_regex or ""]
        return " · ".join(filter(None, parts)) or _("The whole site")

    @property
    def has_hours(self) -> bool:
        """Does the pause have hours, so that it starts and ends repeatedly?"""
        return bool(self.weekdays) or self.from_time is not None

    def clean(self) -> None:
        """Check the pattern and the times.

        Raises:
            ValidationError: by field.
        """
        super().clean()
        self.location_regex = checked_pattern(self.location_regex)
        self.weekdays = "".join(sorted(set(self.weekdays)))
        self.starts_at, self.ends_at = period_of(self.starts_at, self.ends_at)
        for name, moment in (("starts_at", self.starts_at), ("ends_at", self.ends_at)):
            # Years at the ends of the calendar have no counterpart in every time zone.
            if moment is not None and not MIN_YEAR <= moment.year <= MAX_YEAR:
                raise ValidationError({name: DateTimeField.default_error_messages["invalid"]})
        if (self.from_time is None) != (self.to_time is None):
            raise ValidationError({"to_time": _("Give both times, or neither.")})
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": _("The end must come after the beginning.")})


class NoticeQuerySet(ConfigurationQuerySet["AINotice"]):
    """Also stores versions for bulk changes."""

    def update(self, **kwargs: Any) -> int:
        with transaction.atomic(using=self.db):
            keys = list(self.values_list("pk", flat=True)) if "text" in kwargs else []
            changed = super().update(**kwargs)
            self._keep_versions(keys)
        return changed

    update.alters_data = True  # type: ignore[attr-defined]  # as Django marks its own

    def bulk_create(self, objs: Iterable[AINotice], *args: Any, **kwargs: Any) -> list[AINotice]:
        with transaction.atomic(using=self.db):
            created = super().bulk_create(objs, *args, **kwargs)
            profiles = [notice.profile_id for notice in created]
            here = models.Q(profile__in=profiles) | (models.Q(profile=None) if None in profiles else models.Q(pk=None))
            self._keep_versions(self.model.objects.filter(here).values_list("pk", flat=True))
        return created

    def _keep_versions(self, keys: Iterable[int]) -> None:
        for notice in self.model.objects.using(self.db).filter(pk__in=list(keys)):
            notice.keep_version()


class AINotice(ConfigurationModel):
    """A notice that people must accept before a model is asked: for one profile, or for all profiles without their own.

    All its wordings are kept.
    """

    profile = models.OneToOneField(
        AIWorkflowProfile,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("profile"),
        help_text=gettext_lazy("Leave empty for the whole site, except profiles that have their own notice."),
    )
    text = models.TextField(
        gettext_lazy("text"),
        max_length=20_000,
        help_text=gettext_lazy("Plain text. After any change, people must accept it again."),
    )
    enabled = models.BooleanField(
        gettext_lazy("enabled"),
        default=True,
        help_text=gettext_lazy("If a profile's own notice is disabled, the profile needs no consent."),
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("AI notice")
        verbose_name_plural = gettext_lazy("AI notices")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.profile.slug if self.profile else _("The whole site")

    def clean(self) -> None:
        """Allow only one notice for the site.

        Raises:
            ValidationError: there is another one.
        """
        super().clean()
        # The unique constraint does not apply to NULL.
        if self.profile_id is None and AINotice.objects.filter(profile=None).exclude(pk=self.pk).exists():
            raise ValidationError({"profile": _("The site has a notice already.")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the notice, and store a new wording as a version."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            self.keep_version()

    def keep_version(self) -> AINoticeVersion:
        """Return the version of the current wording, which is created if the wording has changed."""
        last = AINoticeVersion.objects.filter(notice=self).order_by("-number").first()
        if last is not None and last.text == self.text:
            return last
        number = last.number + 1 if last else 1
        return AINoticeVersion.objects.create(notice=self, title=str(self), number=number, text=self.text)


class AINoticeVersion(models.Model):
    """One wording of a notice. Kept when the notice is deleted, because consents refer to it."""

    notice = models.ForeignKey(
        AINotice, models.SET_NULL, null=True, related_name="versions", verbose_name=gettext_lazy("notice")
    )
    title = models.CharField(gettext_lazy("of"), max_length=100)
    number = models.PositiveIntegerField(gettext_lazy("version"))
    text = models.TextField(gettext_lazy("text"))
    created_at = models.DateTimeField(gettext_lazy("time"), auto_now_add=True)

    class Meta:
        verbose_name = gettext_lazy("wording of an AI notice")
        verbose_name_plural = gettext_lazy("wordings of AI notices")
        default_permissions = ("view",)
        constraints = (models.UniqueConstraint(fields=["notice", "number"], name="ai_notice_version"),)

    def __str__(self) -> str:
        return _("{notice}, version {number}").format(notice=self.title, number=self.number)


class AIConsent(models.Model):
    """A person's consent to one wording, for certain providers and regions; possibly withdrawn."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=gettext_lazy("person")
    )
    fingerprint = models.CharField(gettext_lazy("fingerprint"), max_length=64)
    version = models.ForeignKey(
        AINoticeVersion, models.PROTECT, related_name="consents", verbose_name=gettext_lazy("notice")
    )
    providers = models.CharField(gettext_lazy("providers"), max_length=255, blank=True)
    accepted_at = models.DateTimeField(gettext_lazy("accepted"))
    withdrawn_at = models.DateTimeField(gettext_lazy("withdrawn"), null=True)
    # True or NULL: databases treat NULLs as distinct, so the constraint allows one active consent.
    holds = models.BooleanField(gettext_lazy("active"), null=True, default=True)

    class Meta:
        verbose_name = gettext_lazy("AI consent")
        verbose_name_plural = gettext_lazy("AI consents")
        default_permissions = ("view",)
        constraints = (models.UniqueConstraint(fields=["user", "fingerprint", "holds"], name="ai_consent_holds"),)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.version_id}"
