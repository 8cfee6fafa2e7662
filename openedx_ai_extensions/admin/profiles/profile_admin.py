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

from openedx_ai_extensions.admin.display import code, status_text
from openedx_ai_extensions.admin.profiles.changes import (
    live_sessions,
    meaning_for_sessions,
    template_and_effective,
    touched,
)
from openedx_ai_extensions.admin.profiles.form import ProfileForm, all_templates, template_info
from openedx_ai_extensions.admin.profiles.history import VersionPages
from openedx_ai_extensions.admin.profiles.validation import findings, judge, panel, summary
from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate
from openedx_ai_extensions.workflows.readable_errors import readable
from openedx_ai_extensions.workflows.redundant_keys import redundant_keys
from openedx_ai_extensions.workflows.template_utils import effective_config

IN_ORDER, WARNINGS, BROKEN, REDUNDANT = "in-order", "warnings", "broken", "redundant"


class StatusFilter(admin.SimpleListFilter):
    """Every profile is judged, which takes no query for each of them."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (IN_ORDER, gettext_lazy("In order")),
            (BROKEN, gettext_lazy("No longer fits")),
            (WARNINGS, gettext_lazy("Has warnings")),
            (REDUNDANT, gettext_lazy("Changes nothing, wholly or in part")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AIWorkflowProfile]) -> QuerySet[AIWorkflowProfile]:
        wanted = self.value()
        if wanted not in {IN_ORDER, WARNINGS, BROKEN, REDUNDANT}:
            return queryset
        with PromptTemplate.objects.preloaded():
            return queryset.filter(pk__in=[profile.pk for profile in queryset if wanted in states(profile)])


def states(profile: AIWorkflowProfile) -> set[str]:
    """All that is true of a profile; the same one may have warnings and keys that change nothing."""
    severities = {problem.severity for problem in profile.problems()}
    found = set()
    if Severity.ERROR in severities:
        found.add(BROKEN)
    if Severity.WARNING in severities:
        found.add(WARNINGS)
    if redundant_keys(profile.base_filepath, profile.content_patch):
        found.add(REDUNDANT)
    return found or {IN_ORDER}


@admin.register(AIWorkflowProfile)
class ProfileAdmin(VersionPages):
    """Pick a template, patch it, and see what comes of it."""

    form = ProfileForm
    list_display = ("slug", "description_start", "base_filepath", "status", "scope_count")
    list_filter = (StatusFilter, ("base_filepath", admin.AllValuesFieldListFilter))
    search_fields = ("slug", "description", "base_filepath")
    ordering = ("slug",)
    readonly_fields = ("template_about", "description_to_read", "patch_to_read", "validation", "difference", "used_by")

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css", "openedx_ai_extensions/admin/profile.css")}
        js = (
            "openedx_ai_extensions/admin/profile_editor.js",
            "openedx_ai_extensions/admin/released.js",
            "openedx_ai_extensions/admin/profile_live.js",
        )

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_validate"
        wrap = self.admin_site.admin_view
        return [
            path("validate/", wrap(self.validate_view), name=f"{name}_new"),
            path("<path:object_id>/validate/", wrap(self.validate_view), name=name),
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
        # Those who may only look do not see the credentials that somebody may have put into a patch.
        patch = "content_patch" if may_write else "patch_to_read"
        description = "description" if may_write else "description_to_read"
        workflow = (None, {"fields": ("slug", description, "base_filepath", "template_about", patch, "validation")})
        outcome = (_("What comes of it"), {"fields": ("difference",)})
        if obj is None:
            return (workflow, outcome)
        return (workflow, outcome, (_("What a save reaches"), {"fields": ("used_by",)}))

    def save_model(self, request: HttpRequest, obj: AIWorkflowProfile, form: Any, change: bool) -> None:
        before = AIWorkflowProfile.objects.filter(pk=obj.pk).first() if change else None
        obj.save(changed_by=request.user)
        self.warn_of_credentials(request, obj, form)
        for problem in obj.problems(thorough=True):
            messages.warning(request, problem.labelled)
        if before is not None and _effective(before) != _effective(obj) and live_sessions(obj):
            reached = touched(obj)
            messages.info(request, f"{reached.sessions_in_words} {meaning_for_sessions()}")

    def validate_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """Judge the fields as they are being typed; for those who may save them."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        stored = None
        if object_id is None:
            allowed = self.has_add_permission(request)
        else:
            stored = self.get_object(request, unquote(object_id))
            if stored is None:
                raise Http404
            allowed = self.has_change_permission(request, stored)
        if not allowed:
            raise PermissionDenied
        return judge(request, stored)

    @admin.display(description=gettext_lazy("description"), ordering="description")
    def description_start(self, obj: AIWorkflowProfile) -> str:
        return truncatechars(self.description_to_read(obj), 80)

    @admin.display(description=gettext_lazy("description"))
    def description_to_read(self, obj: AIWorkflowProfile) -> str:
        return masked_text(obj.description or "", configured_secrets())

    def get_search_fields(self, request: HttpRequest) -> Any:
        # Else whoever may only look finds out what is masked, letter by letter.
        hidden = () if self.has_change_permission(request) else ("description",)
        return [name for name in self.search_fields if name not in hidden]

    @admin.display(description=gettext_lazy("status"))
    def status(self, obj: Any) -> str:
        text: str = obj.status_text
        return text

    @admin.display(description=gettext_lazy("scopes"), ordering="scopes_count")
    def scope_count(self, obj: Any) -> int:
        count: int = obj.scopes_count
        return count

    @admin.display(description=gettext_lazy("About the template"))
    def template_about(self, obj: AIWorkflowProfile) -> SafeString:
        chosen = template_info(obj.base_filepath) if obj.base_filepath else None
        return panel("template_about", template=chosen, templates=all_templates())

    @admin.display(description=gettext_lazy("Patch (JSON5)"))
    def patch_to_read(self, obj: AIWorkflowProfile) -> SafeString | str:
        shown = readable(obj.content_patch)
        if shown.is_unreadable:
            return _("The patch cannot be read as JSON5.")
        if not shown.is_masked:
            return code(shown.text)
        return format_html("<p>{}</p>{}", _("Without comments and credentials:"), code(shown.text))

    @admin.display(description=gettext_lazy("Validation"))
    def validation(self, obj: AIWorkflowProfile) -> SafeString:
        found = findings(obj) if obj.base_filepath else []
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_validate"
        url = reverse(name, args=(obj.pk,)) if obj.pk else reverse(f"{name}_new")
        said = summary(found) if obj.base_filepath else ""
        return panel("validation", findings=found, summary=said, url=url)

    @admin.display(description=gettext_lazy("Template and effective configuration"))
    def difference(self, obj: AIWorkflowProfile) -> SafeString:
        comparison = template_and_effective(obj) if obj.base_filepath else None
        return panel("difference", comparison=comparison, is_whole=True)

    @admin.display(description=gettext_lazy("Scopes, courses and sessions"))
    def used_by(self, obj: AIWorkflowProfile) -> SafeString:
        return panel("touched", touched=touched(obj), meaning=meaning_for_sessions())


def _effective(profile: AIWorkflowProfile) -> dict[str, Any] | None:
    return effective_config(profile.base_filepath, profile.content_patch)
