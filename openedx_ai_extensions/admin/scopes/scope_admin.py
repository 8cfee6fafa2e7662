"""Scopes: where a profile applies."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.admin.forms import CourseKeyFormField, CourseKeysFormField, SuggestingInput, known_slots
from openedx_ai_extensions.admin.scopes.diagnosis import DiagnosisAdmin
from openedx_ai_extensions.admin.scopes.transfer import TransferAdmin
from openedx_ai_extensions.console.diagnosis import scope_title
from openedx_ai_extensions.models import AIWorkflowScope


class ScopeForm(forms.ModelForm):
    """Where a profile applies."""

    course_id = CourseKeyFormField(
        label=gettext_lazy("Course id"),
        required=False,
        help_text=gettext_lazy("Such as course-v1:OpenedX+DemoX+2026. Leave it empty for every course."),
    )

    class Meta:
        model = AIWorkflowScope
        fields = (
            "profile",
            "enabled",
            "service_variant",
            "ui_slot_selector_id",
            "course_id",
            "location_regex",
            "outside_courses",
        )
        help_texts = {
            "profile": gettext_lazy("The workflow that runs here."),
            "enabled": gettext_lazy("A scope that is not enabled is ignored."),
            "service_variant": gettext_lazy("Where it appears: to learners in the LMS, or to authors in Studio."),
            "location_regex": gettext_lazy(
                "A regular expression that is searched for in the location's usage key, such as @vertical\\+block@. "
                "Leave it empty for every location."
            ),
        }
        widgets = {
            "ui_slot_selector_id": SuggestingInput(known_slots, {"class": "vTextField"}),
            "location_regex": forms.TextInput(attrs={"size": 60, "spellcheck": "false"}),
        }


class ScopeAddForm(ScopeForm):
    """A new scope, or one for each of several courses."""

    # The same name as in ScopeForm, so that URLs that fill in the form work for both.
    course_id = CourseKeysFormField(  # type: ignore[assignment]
        label=gettext_lazy("Course ids"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 70, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=gettext_lazy(
            "One per line, such as course-v1:OpenedX+DemoX+2026; each course gets its own scope. Leave it empty for "
            "one scope for every course."
        ),
    )

    def clean_course_id(self) -> CourseKey | None:
        """The first course; the others are in ``other_courses``."""
        first, *self.other_courses = self.cleaned_data["course_id"]
        return first

    def others(self) -> list[AIWorkflowScope]:
        """The unsaved scopes of the other courses."""
        fields = ("profile", "enabled", "service_variant", "ui_slot_selector_id", "location_regex")
        values = {name: getattr(self.instance, name) for name in fields}
        return [AIWorkflowScope(course_id=course, **values) for course in self.other_courses]


@admin.register(AIWorkflowScope)
class ScopeAdmin(DiagnosisAdmin, TransferAdmin):
    """The course, location and service in which a profile answers."""

    form = ScopeForm
    list_display = (
        "course",
        "ui_slot_selector_id",
        "service_variant",
        "profile",
        "enabled",
        "specificity_index",
        "location_regex",
    )
    list_filter = (
        "enabled",
        "service_variant",
        "outside_courses",
        ("ui_slot_selector_id", admin.AllValuesFieldListFilter),
        ("profile", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("course_id", "ui_slot_selector_id", "profile__slug")
    ordering = ("course_id", "ui_slot_selector_id", "-specificity_index", "pk")
    autocomplete_fields = ("profile",)
    readonly_fields = ("specificity_index",)
    actions = ("enable", "disable")

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/scope.css",)}
        js = ("openedx_ai_extensions/admin/pointer_release.js", "openedx_ai_extensions/admin/scope.js")

    def get_form(
        self, request: HttpRequest, obj: AIWorkflowScope | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(request, obj, change, form=ScopeForm if change else ScopeAddForm, **kwargs)

    def save_model(self, request: HttpRequest, obj: AIWorkflowScope, form: Any, change: bool) -> None:
        """The admin saves in one transaction: either all scopes of several courses are added, or none."""
        super().save_model(request, obj, form, change)
        others = [] if change else form.others()
        for scope in others:
            scope.save()
            self.log_addition(request, scope, [{"added": {}}])
        if others:
            text = ngettext(
                "{count} more scope was added, for the other course.",
                "{count} more scopes were added, one for each of the other courses.",
                len(others),
            )
            messages.success(request, text.format(count=len(others)))

    def get_fields(self, request: HttpRequest, obj: AIWorkflowScope | None = None) -> Any:
        return ScopeForm.Meta.fields if obj is None else (*ScopeForm.Meta.fields, *self.readonly_fields)

    @admin.display(description=gettext_lazy("course"), ordering="course_id")
    def course(self, obj: AIWorkflowScope) -> str:
        if obj.outside_courses:
            return _("Every course, and outside of courses")
        return str(obj.course_id) if obj.course_id else _("Every course")

    @admin.action(description=gettext_lazy("Enable the selected scopes"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[AIWorkflowScope]) -> None:
        _switch(request, queryset, enabled=True)

    @admin.action(description=gettext_lazy("Disable the selected scopes"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[AIWorkflowScope]) -> None:
        _switch(request, queryset, enabled=False)


def _switch(request: HttpRequest, queryset: QuerySet[AIWorkflowScope], *, enabled: bool) -> None:
    """Enable or disable all the scopes, or none if one of them is invalid."""
    refused = False
    scopes = list(queryset.select_related("profile"))
    with transaction.atomic():
        for scope in scopes:
            scope.enabled = enabled
            try:
                scope.full_clean()
                scope.save()
            except ValidationError as error:
                refused = True
                reason = " ".join(error.messages)
                messages.error(request, _("{scope}: {reason}").format(scope=scope_title(scope), reason=reason))
        transaction.set_rollback(refused)
    if refused:
        messages.error(request, _("Nothing was changed. Correct these scopes or deselect them, then try again."))
        return
    count = len(scopes)
    if enabled:
        text = ngettext("{count} scope is enabled.", "{count} scopes are enabled.", count)
    else:
        text = ngettext("{count} scope is disabled.", "{count} scopes are disabled.", count)
    messages.success(request, text.format(count=count))
