"""Prompt templates: texts that profiles refer to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.admin.display import change_link, html_list
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate


class PromptAdminForm(forms.ModelForm):
    """A text and the name that profiles know it by."""

    class Meta:
        model = PromptTemplate
        fields = ("slug", "body")
        labels = {"slug": gettext_lazy("Slug"), "body": gettext_lazy("Prompt")}
        help_texts = {
            "slug": gettext_lazy(
                "A short unique name. A profile uses this prompt by naming the slug, or the UUID below, as "
                "prompt_template of its LLMProcessor."
            ),
            "body": gettext_lazy("What the AI model is told to do. The course's content is added by the workflow."),
        }
        widgets = {"body": forms.Textarea(attrs={"class": "aiext-code", "rows": 24, "cols": 100})}


@admin.register(PromptTemplate)
class PromptAdmin(BaseAdmin):
    """Write a prompt once, use it in many profiles."""

    form = PromptAdminForm
    list_display = ("slug", "uuid", "created_at", "updated_at")
    search_fields = ("slug", "body", "uuid")
    ordering = ("slug",)
    readonly_fields = ("body_to_read", "uuid", "used_by", "created_at", "updated_at")

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css",)}

    def get_fields(self, request: HttpRequest, obj: PromptTemplate | None = None) -> Any:
        # A prompt that is not saved has no UUID to copy yet.
        if obj is None:
            return ("slug", "body")
        return ("slug", "body" if self.has_change_permission(request, obj) else "body_to_read",
                *self.readonly_fields[1:])  # fmt: skip

    def get_search_fields(self, request: HttpRequest) -> Any:
        # Else whoever may only look finds out what is masked, letter by letter.
        hidden = () if self.has_change_permission(request) else ("body",)
        return [name for name in self.search_fields if name not in hidden]

    @admin.display(description=gettext_lazy("text"))
    def body_to_read(self, obj: PromptTemplate) -> str:
        return masked_text(obj.body, configured_secrets())

    @admin.display(description=gettext_lazy("Profiles"))
    def used_by(self, obj: PromptTemplate) -> SafeString | str:
        profiles = (
            profile
            for profile in AIWorkflowProfile.objects.order_by("slug")
            if obj.is_used_in(profile.processor_config)
        )
        return html_list(change_link(profile, profile.slug) for profile in profiles) or _("Not used anywhere yet.")
