"""Base classes of the models that determine resolution: rows are always valid, and every process notices a change.

Bulk operations give the same guarantees as single saves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models import Case, Q, Value, When
from opaque_keys.edx.django.models import CourseKeyField

from openedx_ai_extensions.core import cache
from openedx_ai_extensions.core.portable import storage_problem, text_problem
from openedx_ai_extensions.workflows.resolution import validate_pattern

ModelT = TypeVar("ModelT", bound=models.Model)

COURSE_WEIGHT = 1
LOCATION_WEIGHT = 2


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
