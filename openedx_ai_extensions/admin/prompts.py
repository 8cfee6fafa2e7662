"""Prompt templates: texts that profiles refer to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import BaseAdmin, change_link, html_list
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate


class PromptAdminForm(forms.ModelForm):
    """A text, and the name that profiles refer to."""

    class Meta:
        model = PromptTemplate
        fields = ("slug", "body")
        help_texts = {
            "slug": gettext_lazy(
                "A short unique name. To use this prompt, a profile has the slug, or the UUID below, as "
                "prompt_template of its LLMProcessor."
            ),
        }
        widgets = {"body": forms.Textarea(attrs={"class": "aiext-code", "rows": 24, "cols": 100})}


@admin.register(PromptTemplate)
class PromptAdmin(BaseAdmin):
    """One prompt can be used by many profiles."""

    form = PromptAdminForm
    list_display = ("slug", "uuid", "created_at", "updated_at")
    search_fields = ("slug", "body", "uuid")
    masked_fields = ("body",)
    ordering = ("slug",)
    readonly_fields = ("body_to_read", "uuid", "used_by", "created_at", "updated_at")

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css",)}

    def get_fields(self, request: HttpRequest, obj: PromptTemplate | None = None) -> Any:
        if obj is None:
            return ("slug", "body")
        body = "body" if self.has_change_permission(request, obj) else "body_to_read"
        return ("slug", body, *self.readonly_fields[1:])

    @admin.display(description=gettext_lazy("text"))
    def body_to_read(self, obj: PromptTemplate) -> str:
        return masked_text(obj.body, configured_secrets())

    @admin.display(description=gettext_lazy("Profiles"))
    def used_by(self, obj: PromptTemplate) -> SafeString | str:
        profiles = [
            each for each in AIWorkflowProfile.objects.order_by("slug") if obj.is_used_in(each.processor_config)
        ]
        return html_list(change_link(profile, profile.slug) for profile in profiles) or _("Not used by any profile.")
