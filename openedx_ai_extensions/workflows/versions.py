"""Versions of profiles, one for each saved change. Import them from ``workflows.models``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.workflows.configuration import ConfigurationQuerySet, ModelT

KEPT_FIELDS = ("slug", "description", "base_filepath", "content_patch")


class AIWorkflowProfileVersion(models.Model):
    """A saved state of a profile. The highest number is the current state; deleted with its profile."""

    profile = models.ForeignKey(
        "openedx_ai_extensions.AIWorkflowProfile",
        on_delete=models.CASCADE,
        related_name="versions",
        verbose_name=gettext_lazy("profile"),
    )
    number = models.PositiveIntegerField(gettext_lazy("version"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=gettext_lazy("person"),
        help_text=gettext_lazy("Empty if a command, a migration or an import saved it."),
    )
    created_at = models.DateTimeField(gettext_lazy("time"), auto_now_add=True)
    restored_from = models.PositiveIntegerField(gettext_lazy("restored from version"), null=True)
    slug = models.SlugField(gettext_lazy("slug"), max_length=100, db_index=False)
    description = models.TextField(gettext_lazy("description"), blank=True, default="")
    base_filepath = models.CharField(gettext_lazy("template"), max_length=255)
    content_patch = models.TextField(gettext_lazy("changes to the template"), blank=True, default="")

    class Meta:
        verbose_name = gettext_lazy("version of an AI workflow profile")
        verbose_name_plural = gettext_lazy("versions of AI workflow profiles")
        # No permissions of its own: those for the profile apply.
        default_permissions = ()
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=["profile", "number"], name="ai_profile_version"),)

    def __str__(self) -> str:
        return _("{profile}, version {number}").format(profile=self.slug, number=self.number)

    def differing_fields(self, other: Any) -> list[str]:
        """The fields that differ from another version or a profile."""
        return [name for name in KEPT_FIELDS if getattr(self, name) != getattr(other, name)]


class ProfileQuerySet(ConfigurationQuerySet[ModelT]):
    """Also stores versions for bulk changes."""

    def update(self, **kwargs: Any) -> int:
        with transaction.atomic(using=self.db):
            # Evaluated before the update, which may change the result of the filter.
            keys = list(self.values_list("pk", flat=True)) if set(KEPT_FIELDS) & kwargs.keys() else []
            changed = super().update(**kwargs)
            self.keep_versions(keys)
        return changed

    update.alters_data = True  # type: ignore[attr-defined]  # as Django marks its own

    def bulk_create(self, objs: Iterable[ModelT], *args: Any, **kwargs: Any) -> list[ModelT]:
        with transaction.atomic(using=self.db):
            created = super().bulk_create(objs, *args, **kwargs)
            # Some databases do not return the ids of created rows.
            slugs = [getattr(profile, "slug", "") for profile in created]
            self.keep_versions(self.model._default_manager.filter(slug__in=slugs).values_list("pk", flat=True))
        return created

    def keep_versions(self, keys: Iterable[Any], user: Any = None, restored_from: int | None = None) -> None:
        """Store a version of those profiles that differ from their last version.

        Args:
            user: the person who changed them; None if it was not a person.
            restored_from: the number of the version that was restored.
        """
        for profile in self.model._default_manager.using(self.db).filter(pk__in=list(keys)):
            versions = AIWorkflowProfileVersion.objects.using(self.db).filter(profile_id=profile.pk)
            last = versions.order_by("-number").first()
            if last is not None and not last.differing_fields(profile):
                continue
            versions.create(
                profile_id=profile.pk,
                number=last.number + 1 if last else 1,
                user_id=None if user is None else user.pk,
                restored_from=restored_from,
                **{name: getattr(profile, name) for name in KEPT_FIELDS},
            )

    keep_versions.alters_data = True  # type: ignore[attr-defined]
