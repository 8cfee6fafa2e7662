"""Notices: what people accept before a model is asked."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.models import AIConsent, AINotice, AINoticeVersion


@admin.register(AINotice)
class NoticeAdmin(BaseAdmin):
    """Write what people read. Every wording is kept, with how many accepted it."""

    list_display = ("__str__", "enabled", "version")
    list_select_related = ("profile",)
    list_filter = ("enabled",)
    search_fields = ("profile__slug", "text")
    autocomplete_fields = ("profile",)
    readonly_fields = ("wordings",)

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css",)}

    def get_fields(self, request: HttpRequest, obj: AINotice | None = None) -> tuple[str, ...]:
        fields = ("enabled", "profile", "text")
        return fields if obj is None else (*fields, *self.readonly_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AINotice]:
        return super().get_queryset(request).annotate(version_count=Count("versions"))

    @admin.display(description=gettext_lazy("version"))
    def version(self, obj: AINotice) -> int:
        return obj.version_count  # type: ignore[attr-defined]  # annotated

    @admin.display(description=gettext_lazy("Wordings"))
    def wordings(self, obj: AINotice) -> SafeString:
        """Each with those who have accepted it, and of those how many still do."""
        rows = format_html_join(
            "", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", map(_row, _counted(obj))
        )
        heads = (_("Version"), _("Time"), _("Accepted"), _("Withdrawn"), _("Text"))
        head = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in heads))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, rows)


def _counted(notice: AINotice) -> QuerySet[AINoticeVersion]:
    accepted = Count("consents__user", distinct=True)
    return notice.versions.order_by("-number").annotate(accepted=accepted, holding=Count("consents__holds"))


def _row(version: AINoticeVersion) -> tuple[object, ...]:
    url = reverse(f"admin:{AIConsent._meta.app_label}_{AIConsent._meta.model_name}_changelist")
    accepted, holding = version.accepted, version.holding  # type: ignore[attr-defined]  # annotated
    link = format_html('<a href="{}?version__id__exact={}">{}</a>', url, version.pk, accepted)
    text = version.text if len(version.text) <= 200 else f"{version.text[:200]}\u2026"
    return version.number, f"{version.created_at:%Y-%m-%d %H:%M}", link, accepted - min(holding, accepted), text
