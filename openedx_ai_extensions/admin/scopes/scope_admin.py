"""Scopes: where a profile applies."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from openedx_ai_extensions.admin.diagnosis.page import WhyAdmin
from openedx_ai_extensions.admin.scopes.form import ScopeAddForm, ScopeForm
from openedx_ai_extensions.admin.scopes.locations import LocationsAdmin
from openedx_ai_extensions.admin.transfer.page import TransferAdmin
from openedx_ai_extensions.console.diagnosis import scope_title
from openedx_ai_extensions.models import AIWorkflowScope

__all__ = ["ScopeAdmin", "scope_title"]


@admin.register(AIWorkflowScope)
class ScopeAdmin(LocationsAdmin, TransferAdmin, WhyAdmin):
    """Say in which course, place and service a profile answers."""

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
        js = ("openedx_ai_extensions/admin/released.js", "openedx_ai_extensions/admin/scope.js")

    def get_form(
        self, request: HttpRequest, obj: AIWorkflowScope | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = ScopeForm if change else ScopeAddForm
        return super().get_form(request, obj, change, form=form, **kwargs)

    def save_model(self, request: HttpRequest, obj: AIWorkflowScope, form: Any, change: bool) -> None:
        """The admin saves within one transaction: the scopes of several courses are all there, or none."""
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
        count = _switch(request, queryset, enabled=True)
        if count is not None:
            text = ngettext("{count} scope is enabled.", "{count} scopes are enabled.", count)
            messages.success(request, text.format(count=count))

    @admin.action(description=gettext_lazy("Disable the selected scopes"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[AIWorkflowScope]) -> None:
        count = _switch(request, queryset, enabled=False)
        if count is not None:
            text = ngettext("{count} scope is disabled.", "{count} scopes are disabled.", count)
            messages.success(request, text.format(count=count))


def _switch(request: HttpRequest, queryset: QuerySet[AIWorkflowScope], *, enabled: bool) -> int | None:
    """Enable or disable all the scopes, or none when one of them is not valid.

    Returns:
        How many were saved; None when nothing was, and the messages say why.
    """
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
        messages.error(request, _("Nothing was changed. Mend these scopes or leave them out, then try again."))
        return None
    return len(scopes)
