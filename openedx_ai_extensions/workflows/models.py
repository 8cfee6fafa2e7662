"""The models of workflows: what they do (profile) and where they run (scope)."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.base import ModelState
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import cache, conf, hooks
from openedx_ai_extensions.core.schema import MODEL_GREETING, schema_problems
from openedx_ai_extensions.workflows import template_utils
from openedx_ai_extensions.workflows.configuration import (
    COURSE_WEIGHT,
    LOCATION_WEIGHT,
    AIWorkflowProfileVersion,
    ConfigurationModel,
    ModelT,
    ProfileQuerySet,
    ScopeQuerySet,
    checked_pattern,
)
from openedx_ai_extensions.workflows.resolution import (
    MAX_LENGTH,
    course_criterion,
    course_of,
    criteria,
    in_order,
    is_exact,
    matches,
)
from openedx_ai_extensions.workflows.session import AIWorkflowSession

__all__ = ["AIWorkflowProfile", "AIWorkflowProfileVersion", "AIWorkflowScope", "AIWorkflowSession"]

# Per process. An entry takes about 2 KB, more if its profile has a long patch.
MAX_CACHED_SLOTS = 8192  # pairs of a course and a slot
MAX_CACHED_LOCATIONS = 1024


class AIWorkflowProfile(ConfigurationModel):
    """What a workflow does: a template file, modified by a JSON5 merge patch (RFC 7386)."""

    slug = models.SlugField(
        gettext_lazy("slug"),
        max_length=100,
        unique=True,
        help_text=gettext_lazy("A short name, also used in analytics."),
    )
    description = models.TextField(
        gettext_lazy("description"),
        blank=True,
        default="",
        help_text=gettext_lazy("What this workflow is for, in your own words."),
    )
    base_filepath = models.CharField(
        gettext_lazy("template"),
        max_length=255,
        help_text=gettext_lazy("The template to start from, a path inside the template directories."),
    )
    content_patch = models.TextField(
        gettext_lazy("changes to the template"),
        blank=True,
        default="",
        help_text=gettext_lazy("A JSON5 object laid over the template: values replace, objects merge, null removes."),
    )

    objects = ProfileQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("AI workflow profile")
        verbose_name_plural = gettext_lazy("AI workflow profiles")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug

    @property
    def content_patch_dict(self) -> dict[str, Any]:
        """The patch as a dict; empty if there is none or it is not a JSON5 object."""
        return template_utils.lenient_patch(self.content_patch)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The effective configuration; empty if the template cannot be loaded. Cached until the next save."""
        return copy.deepcopy(template_utils.effective_config(self.base_filepath, self.content_patch)) or {}

    def get_config(self) -> dict[str, Any]:
        """The effective configuration, as ``config``."""
        return self.config

    def get_ui_components(self) -> dict[str, Any]:
        """The widget's components: ``{"request": {component, config}, "response": {…}}``."""
        components = _mapping(_mapping(self.config.get("actuator_config")).get("UIComponents"))
        return dict(components)

    @property
    def shown_ui_components(self) -> Mapping[str, Any]:
        """The widget's components in the active language and without credentials; they must not be changed."""
        return template_utils.shown_components(self.base_filepath, self.content_patch)

    @property
    def greeting(self) -> str:
        """The template's greeting of a chat, in the active language; empty if the model greets."""
        greeting = _mapping(_mapping(self.shown_ui_components.get("response")).get("config")).get("greeting")
        return greeting if isinstance(greeting, str) and greeting != MODEL_GREETING else ""

    @property
    def orchestrator_class(self) -> str | None:
        """Short name or dotted path of the orchestrator."""
        return self.config.get("orchestrator_class")

    @property
    def processor_config(self) -> dict[str, Any]:
        """Configuration of each processor, by the processor's name."""
        return dict(_mapping(self.config.get("processor_config")))

    @property
    def is_usable(self) -> bool:
        """Do template and patch load, and is the result valid? Cached for each version of both."""
        return template_utils.is_valid_config(self.base_filepath, self.content_patch)

    def problems(self, *, thorough: bool = False) -> list[hooks.Problem]:
        """All problems of the effective configuration, errors and warnings.

        Args:
            thorough: also run slow checks, such as for options that a model does not support.
        """
        config = template_utils.effective_config(self.base_filepath, self.content_patch)
        if config is None:
            reason = template_utils.template_problem(self.base_filepath) or _("The template cannot be read.")
            return [hooks.Problem("$", reason)]
        patch_problem = template_utils.patch_problem(self.content_patch)
        if patch_problem is not None:
            return [hooks.Problem("content_patch", patch_problem)]
        return schema_problems(config) or hooks.config_problems(config, thorough=thorough)

    def validate(self) -> tuple[bool, list[str]]:
        """Validate the effective configuration: ``(is_valid, error_messages)``."""
        errors = [str(problem) for problem in self.problems() if problem.severity is hooks.Severity.ERROR]
        return not errors, errors

    def clean_fields(self, exclude: Any = None) -> None:
        """Also treat a patch that is None as empty."""
        self.content_patch = self.content_patch or ""
        super().clean_fields(exclude=exclude)

    def clean(self) -> None:
        """Refuse a template that does not load, a patch that is not JSON5, and an invalid effective configuration.

        Raises:
            ValidationError: keyed by field; messages include line and column, or the JSON path.
        """
        self.require_portable("description")
        template_problem = template_utils.template_problem(self.base_filepath) if self.base_filepath else None
        if template_problem is not None:
            raise ValidationError({"base_filepath": template_problem})
        patch_problem = template_utils.patch_problem(self.content_patch)
        if patch_problem is not None:
            raise ValidationError({"content_patch": patch_problem})
        _valid, errors = self.validate()
        if errors and self.base_filepath:
            raise ValidationError({"content_patch": errors})

    def save(self, *args: Any, changed_by: Any = None, restored_from: int | None = None, **kwargs: Any) -> None:
        """Validate and save the profile, and store a new version if it has changed.

        Args:
            changed_by: the person who saves, for the history; None if it is not a person.
            restored_from: the number of the version that is restored.
        """
        with transaction.atomic(using=kwargs.get("using") or self._state.db):
            super().save(*args, **kwargs)
            versions = type(self).objects.using(self._state.db)
            versions.keep_versions([self.pk], changed_by, restored_from)
        self.__dict__.pop("config", None)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


class AIWorkflowScope(ConfigurationModel):
    """Where a profile runs: course, locations, service and widget slot."""

    SERVICE_VARIANTS = [("lms", "LMS"), ("cms", "CMS - Studio")]

    profile = models.ForeignKey(AIWorkflowProfile, on_delete=models.CASCADE, verbose_name=gettext_lazy("profile"))
    course_id = CourseKeyField(
        gettext_lazy("course"), max_length=255, blank=True, help_text=gettext_lazy("Leave empty for every course.")
    )
    location_regex = models.CharField(
        gettext_lazy("location pattern"),
        max_length=MAX_LENGTH,
        blank=True,
        null=True,
        help_text=gettext_lazy(
            "A regular expression that is searched in the location's usage key. Leave empty for every location."
        ),
    )
    service_variant = models.CharField(
        gettext_lazy("service"), max_length=10, choices=SERVICE_VARIANTS, default=SERVICE_VARIANTS[0][0]
    )
    ui_slot_selector_id = models.CharField(
        gettext_lazy("widget slot"),
        max_length=255,
        blank=True,
        default="",
        help_text=gettext_lazy(
            "The identifier that the frontend widget sends. Without one, no widget shows this workflow."
        ),
    )
    outside_courses = models.BooleanField(
        gettext_lazy("outside of courses"),
        default=False,
        help_text=gettext_lazy(
            "Also answer requests that name no course. Pauses, limits and enrolments of courses do not apply then: "
            "anyone with an account can use the workflow."
        ),
    )
    enabled = models.BooleanField(gettext_lazy("enabled"), default=True)
    specificity_index = models.PositiveSmallIntegerField(gettext_lazy("specificity"), default=0, editable=False)

    objects = ScopeQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("AI workflow scope")
        verbose_name_plural = gettext_lazy("AI workflow scopes")
        ordering = ["-specificity_index", "-id"]
        indexes = [
            models.Index(
                fields=["ui_slot_selector_id", "course_id", "service_variant", "enabled"], name="ai_scope_candidates"
            )
        ]

    def __str__(self) -> str:
        where = self.course_id or _("every course")
        return f"{self.profile.slug}: {where}, {self.ui_slot_selector_id or '-'} ({self.service_variant})"

    @property
    def action(self) -> str | None:
        """The action under way, set while the scope executes."""
        return self.__dict__.get("_action")

    @property
    def location_id(self) -> str | None:
        """The location for which this instance was resolved."""
        return self.__dict__.get("_location_id")

    def clean(self) -> None:
        """Check the pattern and compute ``specificity_index``.

        Raises:
            ValidationError: the pattern does not compile, a text cannot be stored, or ``outside_courses`` is combined
                with a course or a pattern.
        """
        self.require_portable("location_regex", "ui_slot_selector_id")
        self.location_regex = checked_pattern(self.location_regex)
        if self.outside_courses and (self.course_id or self.location_regex):
            message = _("Only a scope without a course and a location pattern can answer outside of courses.")
            raise ValidationError({"outside_courses": message})
        self.specificity_index = COURSE_WEIGHT * bool(self.course_id) + LOCATION_WEIGHT * bool(self.location_regex)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "specificity_index"}
        super().save(*args, **kwargs)

    @classmethod
    def get_profile(
        cls,
        course_id: CourseKey | str | None = None,
        location_id: UsageKey | str | None = None,
        ui_slot_selector_id: str | None = None,
    ) -> AIWorkflowScope | None:
        """The most specific enabled scope of this service for a widget slot, or None.

        Without a course and a location, only scopes with ``outside_courses`` are considered.

        The instance, its profile and its ``location_id`` belong to the caller. At most one query; none if the result
        is cached.
        """
        if not ui_slot_selector_id:
            return None
        location = str(location_id) if location_id else None
        scope = _resolve(str(course_id or "") or course_of(location), location, ui_slot_selector_id)
        return None if scope is None else own_copy(scope, location)

    @classmethod
    def list_profiles_for_context(
        cls,
        course_id: str | None = None,
        location_id: str | None = None,
        ui_slot_selector_id: str | None = None,
        service_variant: str | None = None,
    ) -> list[AIWorkflowProfile]:
        """All profiles that an enabled scope makes available here, the most specific first.

        Args:
            course_id: course key; None finds only scopes of every course.
            location_id: usage key; None does not filter by location.
            ui_slot_selector_id: this slot and scopes without one; None means all slots.
            service_variant: ``lms`` or ``cms``; None means both.

        Returns:
            Distinct profiles, each with its scopes in ``matched_scopes``.
        """
        course = str(course_id) if course_id else ""
        scopes = in_order(AIWorkflowScope.objects.filter(course_criterion(course), enabled=True))
        slots = None if ui_slot_selector_id is None else {"", ui_slot_selector_id}
        if slots is not None:
            scopes = scopes.filter(ui_slot_selector_id__in=slots)
        if service_variant is not None:
            scopes = scopes.filter(service_variant=service_variant)
        profiles: dict[int, AIWorkflowProfile] = {}
        for scope in scopes:
            if not is_exact(scope, course, slots):
                continue
            if location_id and not matches(scope.location_regex, str(location_id)):
                continue
            profile = profiles.setdefault(scope.profile_id, scope.profile)
            scope.profile = profile
            profile.__dict__.setdefault("matched_scopes", []).append(scope)
        return list(profiles.values())

    def execute(self, user_input: Any, action: str, user: Any, running_context: Mapping[str, Any]) -> Any:
        """Run an action of this workflow with its orchestrator.

        Args:
            user_input: the client's input: a text, an object or None.
            action: the name of a published action.
            user: the person who asks.
            running_context: ``course_id`` and ``location_id`` (opaque keys or None), ``ui_slot_selector_id``,
                ``run_id``, ``accepts_stream``.

        Returns:
            The answer as a dictionary, or a ``Stream``.

        Raises:
            AIExtensionsError: with its code, status and message.
        """
        self.__dict__["_action"] = action
        return hooks.worker("execute")(
            workflow=self, user_input=user_input, action=action, user=user, running_context=running_context
        )


def own_copy(scope: AIWorkflowScope, location_id: str | None) -> AIWorkflowScope:
    """A copy of a scope that threads share, with its own profile instance, for a location."""
    own = _copied(scope)
    own._state.fields_cache = {"profile": _copied(scope._state.fields_cache["profile"])}
    own.__dict__["_location_id"] = location_id
    return own


def _copied(row: ModelT) -> ModelT:
    """As ``copy.copy``, which takes ten times as long."""
    copied = object.__new__(type(row))
    copied.__dict__.update(row.__dict__)
    state = copied.__dict__["_state"] = ModelState()
    state.adding, state.db = False, row._state.db
    return copied


def load_candidates(course_id: str, slot: str, variant: str) -> tuple[AIWorkflowScope, ...]:
    """The scopes for a course and slot, ordered by precedence; each still has to match the location."""
    scopes = in_order(AIWorkflowScope.objects.filter(*criteria(course_id, slot, variant).values()))
    return tuple(scope for scope in scopes if is_exact(scope, course_id, {slot}))


def first_match(candidates: Iterable[AIWorkflowScope], location_id: str | None) -> AIWorkflowScope | None:
    """The winner for a location: the first candidate that matches."""
    return next((scope for scope in candidates if matches(scope.location_regex, location_id)), None)


# Two caches over one query, correct across threads and processes: the candidates of a course and slot, and the winner
# for a location. Both are keyed by the cache version and a time bucket. Threads share the scopes, so they must not be
# changed.
@lru_cache(maxsize=MAX_CACHED_SLOTS)
def _candidates(course_id: str, slot: str, variant: str, _version: str, _bucket: float) -> tuple[AIWorkflowScope, ...]:
    return load_candidates(course_id, slot, variant)


@lru_cache(maxsize=MAX_CACHED_LOCATIONS)
def _winner(
    course_id: str, location_id: str | None, slot: str, variant: str, version: str, bucket: float
) -> AIWorkflowScope | None:
    return first_match(_candidates(course_id, slot, variant, version, bucket), location_id)


def _resolve(course_id: str, location_id: str | None, slot: str) -> AIWorkflowScope | None:
    """The most specific enabled scope of this service, or None."""
    variant, version = conf.service_variant(), cache.current_version()
    if version is None:
        return first_match(load_candidates(course_id, slot, variant), location_id)
    bucket = time.monotonic() // conf.get("AI_EXTENSIONS_RESOLUTION_MAX_AGE")
    return _winner(course_id, location_id, slot, variant, version, bucket)
