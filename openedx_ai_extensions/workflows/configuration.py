"""Base classes of the models that determine resolution: rows are always valid, and every process notices a change.

Bulk operations give the same guarantees as single saves, such as a version for each saved change of a profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.django.models import CourseKeyField

from openedx_ai_extensions.core import cache
from openedx_ai_extensions.core.portable import storage_problem, text_problem
from openedx_ai_extensions.workflows.resolution import validate_pattern

ModelT = TypeVar("ModelT", bound=models.Model)

COURSE_WEIGHT = 1
LOCATION_WEIGHT = 2
KEPT_FIELDS = ("slug", "description", "base_filepath", "content_patch")  # in the versions of a profile


class ConfigurationModel(models.Model):
    """Base of models that determine how requests resolve: rows are always valid, and changes invalidate the caches."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Validate, save, and invalidate the caches of all processes.

        Raises:
            ValidationError: the object is not valid; nothing is saved.
        """
        self.full_clean()
        super().save(*args, **kwargs)
        cache.bump_version(self._state.db)

    def clean_fields(self, exclude: Any = None) -> None:
        """Also refuse texts that the database cannot store, instead of failing with a database error.

        Raises:
            ValidationError: keyed by field.
        """
        super().clean_fields(exclude=exclude)
        alias = self._state.db or router.db_for_write(type(self))
        problems = {}
        for field in self._meta.concrete_fields:
            value = getattr(self, field.attname)
            if isinstance(value, str) and field.name not in (exclude or ()):
                problems[field.name] = storage_problem(value, alias)
        if any(problems.values()):
            raise ValidationError({name: problem for name, problem in problems.items() if problem})

    def require_portable(self, *names: str) -> None:
        """Refuse texts that cannot be stored, shown or sent everywhere.

        Raises:
            ValidationError: keyed by field; messages include line and column.
        """
        problems = {name: text_problem(getattr(self, name) or "") for name in names}
        if any(problems.values()):
            raise ValidationError({name: problem for name, problem in problems.items() if problem})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        using = self._state.db
        deleted = super().delete(*args, **kwargs)
        cache.bump_version(using)
        return deleted


class ConfigurationQuerySet(models.QuerySet[ModelT]):
    """The queryset of models that determine how requests resolve."""

    def update(self, **kwargs: Any) -> int:
        with transaction.atomic(using=self.db):
            changed = super().update(**kwargs)
            cache.bump_version(self.db)
        return changed

    update.alters_data = True  # type: ignore[attr-defined]  # as Django marks its own

    def bulk_create(self, objs: Iterable[ModelT], *args: Any, **kwargs: Any) -> list[ModelT]:
        """Validate every object, then create them.

        Raises:
            ValidationError: an object is not valid; none is created.
        """
        objects = list(objs)
        for obj in objects:
            obj.full_clean()
        with transaction.atomic(using=self.db):
            created = super().bulk_create(objects, *args, **kwargs)
            cache.bump_version(self.db)
        return created

    def bulk_update(self, objs: Iterable[ModelT], fields: Iterable[str], *args: Any, **kwargs: Any) -> int:
        """Validate every object, then update them.

        Raises:
            ValidationError: an object is not valid; none is changed.
        """
        objects = list(objs)
        for obj in objects:
            obj.full_clean()
        with transaction.atomic(using=self.db):
            changed = super().bulk_update(objects, self.fields_to_write(list(fields)), *args, **kwargs)
            cache.bump_version(self.db)
        return changed

    def fields_to_write(self, fields: Sequence[str]) -> Sequence[str]:
        """The fields to write when these fields change."""
        return fields

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.db):
            deleted = super().delete()
            cache.bump_version(self.db)
        return deleted

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


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


class ScopeQuerySet(ConfigurationQuerySet[ModelT]):
    """Also updates ``specificity_index``."""

    def update(self, **kwargs: Any) -> int:
        # Also called by Django's bulk_update, with an expression for each field; its objects are validated already.
        if "specificity_index" not in kwargs:
            if "location_regex" in kwargs:
                kwargs["location_regex"] = checked_pattern(kwargs["location_regex"])
            if {"course_id", "location_regex"} & kwargs.keys():
                kwargs["specificity_index"] = self._specificity(kwargs)
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]

    def fields_to_write(self, fields: Sequence[str]) -> Sequence[str]:
        return [*fields, *({"specificity_index"} - set(fields))]

    @staticmethod
    def _specificity(changes: dict[str, Any]) -> Any:
        no_course = Q(course_id=CourseKeyField.Empty)
        no_pattern = Q(location_regex__isnull=True) | Q(location_regex="")
        course: Any = Case(When(no_course, then=Value(0)), default=Value(COURSE_WEIGHT))
        location: Any = Case(When(no_pattern, then=Value(0)), default=Value(LOCATION_WEIGHT))
        if "course_id" in changes:
            course = Value(COURSE_WEIGHT if changes["course_id"] else 0)
        if "location_regex" in changes:
            location = Value(LOCATION_WEIGHT if changes["location_regex"] else 0)
        return course + location


def checked_pattern(pattern: str | None) -> str | None:
    """Normalise and check a pattern: None if it is blank.

    Raises:
        ValidationError: it does not compile.
    """
    pattern = (pattern or "").strip() or None
    if pattern is not None:
        try:
            validate_pattern(pattern)
        except ValidationError as error:
            raise ValidationError({"location_regex": error}) from None
    return pattern
