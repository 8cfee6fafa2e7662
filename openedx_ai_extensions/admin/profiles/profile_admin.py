"""Profiles: what a workflow does."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.defaultfilters import truncatechars
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import code, status_text
from openedx_ai_extensions.admin.profiles.changes import (
    effective,
    impact_of,
    meaning_for_sessions,
    recent_sessions,
    sessions_in_words,
    template_and_effective,
)
from openedx_ai_extensions.admin.profiles.form import ProfileForm, all_templates, template_info
from openedx_ai_extensions.admin.profiles.history import VersionPages
from openedx_ai_extensions.admin.profiles.validation import findings, panel, summary, validate_typed
from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate
from openedx_ai_extensions.workflows.patches import readable, redundant_keys

STATUSES = {
    "in-order": gettext_lazy("In order"),
    "broken": gettext_lazy("Broken"),
    "warnings": gettext_lazy("Has warnings"),
    "redundant": gettext_lazy("Has keys without effect"),
}


class StatusFilter(admin.SimpleListFilter):
    """Validates all profiles, which takes no query for each of them."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATUSES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AIWorkflowProfile]) -> QuerySet[AIWorkflowProfile]:
        wanted = self.value()
        if wanted not in STATUSES:
            return queryset
        with PromptTemplate.objects.preloaded():
            return queryset.filter(pk__in=[profile.pk for profile in queryset if wanted in _statuses(profile)])


def _statuses(profile: AIWorkflowProfile) -> set[str]:
    """The keys of ``STATUSES`` that apply to a profile; there may be several."""
    names = {Severity.ERROR: "broken", Severity.WARNING: "warnings"}
    found = {names[problem.severity] for problem in profile.problems() if problem.severity in names}
    if redundant_keys(profile.base_filepath, profile.content_patch):
        found.add("redundant")
    return found or {"in-order"}


@admin.register(AIWorkflowProfile)
class ProfileAdmin(VersionPages):
    """The form shows the result of a template and a patch while the patch is typed."""

    form = ProfileForm
    list_display = ("slug", "description_start", "base_filepath", "status", "scope_count")
    list_filter = (StatusFilter, ("base_filepath", admin.AllValuesFieldListFilter))
    search_fields = ("slug", "description", "base_filepath")
    masked_fields = ("description",)
    ordering = ("slug",)
    readonly_fields = ("template_about", "description_to_read", "patch_to_read", "validation", "difference", "used_by")

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css", "openedx_ai_extensions/admin/profile.css")}
        js = (
            "openedx_ai_extensions/admin/profile_editor.js",
            "openedx_ai_extensions/admin/pointer_release.js",
            "openedx_ai_extensions/admin/profile_live.js",
        )

    def get_urls(self) -> list[Any]:
        # Not extra pages: people who may only add profiles, but not view them, use the first one.
        view, name = self.admin_site.admin_view(self.validate_view), self.url_name_of("validate")
        return [
            path("validate/", view, name=f"{name}_new"),
            path("<path:object_id>/validate/", view, name=name),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AIWorkflowProfile]:
        return super().get_queryset(request).annotate(scopes_count=Count("aiworkflowscope"))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        with PromptTemplate.objects.preloaded():
            for profile in changelist.result_list:
                profile.status_text = status_text(profile)
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: AIWorkflowProfile | None = None) -> Any:
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        # People who may only view profiles do not see credentials in a patch.
        patch = "content_patch" if may_write else "patch_to_read"
        description = "description" if may_write else "description_to_read"
        workflow = (None, {"fields": ("slug", description, "base_filepath", "template_about", patch, "validation")})
        outcome = (_("Result"), {"fields": ("difference",)})
        if obj is None:
            return (workflow, outcome)
        return (workflow, outcome, (_("Affected by a save"), {"fields": ("used_by",)}))

    def save_model(self, request: HttpRequest, obj: AIWorkflowProfile, form: Any, change: bool) -> None:
        before = AIWorkflowProfile.objects.filter(pk=obj.pk).first() if change else None
        obj.save(changed_by=request.user)
        self.warn_of_credentials(request, obj, form)
        for problem in obj.problems(thorough=True):
            messages.warning(request, problem.labelled)
        sessions = recent_sessions(obj) if before is not None and effective(before) != effective(obj) else 0
        if sessions:
            messages.info(request, f"{sessions_in_words(sessions)} {meaning_for_sessions()}")

    def validate_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """Validate the fields while they are typed, for people who may save them."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        stored = None if object_id is None else self.get_object(request, unquote(object_id))
        if stored is None and object_id is not None:
            raise Http404
        if not (self.has_change_permission(request, stored) if stored else self.has_add_permission(request)):
            raise PermissionDenied
        return validate_typed(request, stored)

    @admin.display(description=gettext_lazy("description"), ordering="description")
    def description_start(self, obj: AIWorkflowProfile) -> str:
        return truncatechars(self.description_to_read(obj), 80)

    @admin.display(description=gettext_lazy("description"))
    def description_to_read(self, obj: AIWorkflowProfile) -> str:
        return masked_text(obj.description or "", configured_secrets())

    @admin.display(description=gettext_lazy("status"))
    def status(self, obj: Any) -> str:
        return str(obj.status_text)

    @admin.display(description=gettext_lazy("scopes"), ordering="scopes_count")
    def scope_count(self, obj: Any) -> int:
        return int(obj.scopes_count)

    @admin.display(description=gettext_lazy("About the template"))
    def template_about(self, obj: AIWorkflowProfile) -> SafeString:
        chosen = template_info(obj.base_filepath) if obj.base_filepath else None
        return panel("template_about", template=chosen, templates=all_templates())

    @admin.display(description=gettext_lazy("Patch (JSON5)"))
    def patch_to_read(self, obj: AIWorkflowProfile) -> SafeString | str:
        shown = readable(obj.content_patch)
        if shown.is_unreadable:
            return _("The patch is not valid JSON5.")
        if not shown.is_masked:
            return code(shown.text)
        return format_html("<p>{}</p>{}", _("Without comments and credentials:"), code(shown.text))

    @admin.display(description=gettext_lazy("Validation"))
    def validation(self, obj: AIWorkflowProfile) -> SafeString:
        name = f"admin:{self.url_name_of('validate')}"
        url = reverse(name, args=(obj.pk,)) if obj.pk else reverse(f"{name}_new")
        found = findings(obj) if obj.base_filepath else []
        return panel("validation", findings=found, summary=summary(found) if obj.base_filepath else "", url=url)

    @admin.display(description=gettext_lazy("Template and effective configuration"))
    def difference(self, obj: AIWorkflowProfile) -> SafeString:
        return panel("difference", comparison=template_and_effective(obj), is_whole=True)

    @admin.display(description=gettext_lazy("Scopes, courses and sessions"))
    def used_by(self, obj: AIWorkflowProfile) -> SafeString:
        return panel("impact", impact=impact_of(obj))
