"""Profiles: what a workflow does."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import truncatechars
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.display import change_link, code, html_list, pretty_json
from openedx_ai_extensions.admin.problems import problem_text, status_text
from openedx_ai_extensions.admin.profile_form import ProfileForm
from openedx_ai_extensions.admin.scope import scope_title
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.workflows.redaction import configured_secrets, redact
from openedx_ai_extensions.workflows.template_utils import parse_json5_string


@admin.register(AIWorkflowProfile)
class ProfileAdmin(admin.ModelAdmin):
    """Pick a template, patch it, and see what comes of it."""

    form = ProfileForm
    list_display = ("slug", "description_start", "base_filepath", "status", "scope_count")
    list_filter = (("base_filepath", admin.AllValuesFieldListFilter),)
    search_fields = ("slug", "description", "base_filepath")
    ordering = ("slug",)
    readonly_fields = ("patch_to_read", "validation", "effective_configuration", "used_by")

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[AIWorkflowProfile]:
        return super().get_queryset(request).annotate(scopes_count=Count("aiworkflowscope"))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist = super().get_changelist_instance(request)
        with PromptTemplate.objects.loaded_once():
            for profile in changelist.result_list:
                profile.status_text = status_text(profile)
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: AIWorkflowProfile | None = None) -> Any:
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        # Those who may only look do not see the credentials that somebody may have put into a patch.
        patch = "content_patch" if may_write else "patch_to_read"
        workflow = (None, {"fields": ("slug", "description", "base_filepath", patch)})
        if obj is None:
            return (workflow,)
        return (
            workflow,
            (_("What comes of it"), {"fields": ("validation", "effective_configuration")}),
            (_("Where it is used"), {"fields": ("used_by",)}),
        )

    def save_model(self, request: HttpRequest, obj: AIWorkflowProfile, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for problem in obj.problems():
            messages.warning(request, problem_text(problem))

    @admin.display(description=gettext_lazy("description"), ordering="description")
    def description_start(self, obj: AIWorkflowProfile) -> str:
        return truncatechars(obj.description or "", 80)

    @admin.display(description=gettext_lazy("status"))
    def status(self, obj: Any) -> str:
        text: str = obj.status_text
        return text

    @admin.display(description=gettext_lazy("scopes"), ordering="scopes_count")
    def scope_count(self, obj: Any) -> int:
        count: int = obj.scopes_count
        return count

    @admin.display(description=gettext_lazy("Patch (JSON5)"))
    def patch_to_read(self, obj: AIWorkflowProfile) -> SafeString | str:
        secrets = configured_secrets()
        try:
            patch = parse_json5_string(obj.content_patch) if obj.content_patch.strip() else {}
        except ValueError:
            return _("The patch cannot be read as JSON5.")
        shown = redact(patch, secrets)
        if shown == patch and redact(obj.content_patch, secrets) == obj.content_patch:
            return code(obj.content_patch)
        # Comments may repeat a credential too.
        return format_html("<p>{}</p>{}", _("Without comments and credentials:"), code(pretty_json(shown)))

    @admin.display(description=gettext_lazy("Validation"))
    def validation(self, obj: AIWorkflowProfile) -> SafeString | str:
        return html_list(map(problem_text, obj.problems())) or _("Everything is in order.")

    @admin.display(description=gettext_lazy("Effective configuration"))
    def effective_configuration(self, obj: AIWorkflowProfile) -> SafeString | str:
        """The template merged with the patch, as the workflow sees it."""
        if not obj.config:
            return _("None: the template cannot be read.")
        return code(pretty_json(redact(obj.config, configured_secrets())))

    @admin.display(description=gettext_lazy("Scopes"))
    def used_by(self, obj: AIWorkflowProfile) -> SafeString | str:
        scopes = AIWorkflowScope.objects.filter(profile=obj).order_by("-specificity_index", "pk")
        return html_list(change_link(scope, scope_title(scope)) for scope in scopes) or _("Not used anywhere yet.")
