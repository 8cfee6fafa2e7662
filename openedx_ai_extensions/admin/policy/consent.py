"""Consents: who accepted which notice, when, and whether it still holds."""

from __future__ import annotations

from itertools import chain
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.models import AIConsent
from openedx_ai_extensions.reports.tables import csv_rows

COLUMNS = ("person", "notice", "version", "providers", "fingerprint", "accepted", "withdrawn")


class HoldsFilter(admin.SimpleListFilter):
    """Those that hold, or that were withdrawn."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("holds", gettext_lazy("holds")), ("withdrawn", gettext_lazy("withdrawn"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AIConsent]) -> QuerySet[AIConsent]:
        match self.value():
            case "holds":
                return queryset.filter(holds=True)
            case "withdrawn":
                return queryset.filter(holds=None)
        return queryset


@admin.register(AIConsent)
class ConsentAdmin(BaseAdmin):
    """Look and export, but touch nothing: what people accepted is theirs to withdraw."""

    list_display = ("user", "version", "providers", "accepted_at", "withdrawn_at")
    list_select_related = ("user", "version")
    list_filter = (HoldsFilter, ("version", admin.RelatedOnlyFieldListFilter), "version__notice")
    search_fields = ("user__username", "user__email")
    date_hierarchy = "accepted_at"
    ordering = ("-accepted_at", "-pk")
    list_per_page = 50
    actions = ("export",)
    fields = ("user", "version", "providers", "fingerprint", "accepted_at", "withdrawn_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AIConsent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AIConsent | None = None) -> bool:
        # They go with the person. The admin asks here, too, before it deletes one.
        match = request.resolver_match
        own_pages = f"{self.opts.app_label}_{self.opts.model_name}_"
        if match is None or (match.url_name or "").startswith(own_pages):
            return False
        return request.user.has_perm("auth.delete_user")

    @admin.action(description=gettext_lazy("Export the selected consents as CSV"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[AIConsent]) -> StreamingHttpResponse:
        rows = queryset.select_related("user", "version").order_by("pk")
        return StreamingHttpResponse(
            csv_rows(chain([COLUMNS], map(_cells, rows.iterator(chunk_size=1000)))),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="ai-consents.csv"'},
        )


def _cells(consent: AIConsent) -> tuple[Any, ...]:
    version = consent.version
    return (
        consent.user.get_username(), version.title, version.number, consent.providers, consent.fingerprint,
        consent.accepted_at.isoformat(), consent.withdrawn_at.isoformat() if consent.withdrawn_at else "",
    )  # fmt: skip
