"""Pauses: where and when AI is off."""

from __future__ import annotations

from itertools import chain
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.admin.forms import CourseKeyFormField
from openedx_ai_extensions.models import AIConsent, AINotice, AINoticeVersion, AIPause
from openedx_ai_extensions.policy.pauses import Pause
from openedx_ai_extensions.reports.tables import csv_rows


class PauseForm(forms.ModelForm):
    """Days are ticked."""

    course_id = CourseKeyFormField(label=gettext_lazy("only in this course"), required=False)
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On these days"),
        choices=[(str(number), name) for number, name in WEEKDAYS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None: every day. Hours that go over midnight belong to the day they begin on."),
    )

    class Meta:
        model = AIPause
        fields = (
            "enabled", "message", "course_id", "profile", "location_regex", "weekdays", "from_time", "to_time",
            "starts_at", "ends_at",
        )  # fmt: skip
        widgets = {
            "location_regex": forms.TextInput(attrs={"class": "vTextField aiext-code"}),
            "message": forms.Textarea(attrs={"rows": 2, "cols": 80, "maxlength": 500}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["weekdays"] = list(self.initial.get("weekdays") or "")

    def clean_weekdays(self) -> str:
        return "".join(self.cleaned_data["weekdays"])


@admin.register(AIPause)
class PauseAdmin(BaseAdmin):
    """Switch AI off, everywhere or somewhere, now or at certain hours. It takes effect within seconds."""

    form = PauseForm
    list_display = ("__str__", "when", "enabled", "holds_now", "message", "is_of_course_staff")
    list_select_related = ("profile",)
    list_filter = ("enabled", ("profile", admin.RelatedOnlyFieldListFilter))
    search_fields = ("course_id", "profile__slug", "location_regex", "message")
    autocomplete_fields = ("profile",)
    actions = ("enable", "disable")
    fieldsets = (
        (None, {"fields": ("enabled", "message")}),
        (
            gettext_lazy("Where"),
            {
                "description": gettext_lazy("Leave all of it empty to switch AI off on the whole site."),
                "fields": ("course_id", "profile", "location_regex"),
            },
        ),
        (
            gettext_lazy("When"),
            {
                "description": gettext_lazy(
                    "Leave days and times empty to switch AI off at once. With days or times these are quiet hours: "
                    "widgets stay, and say when AI is back."
                ),
                "fields": ("weekdays", ("from_time", "to_time"), ("starts_at", "ends_at")),
            },
        ),
    )

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css",)}

    def save_model(self, request: HttpRequest, obj: AIPause, form: Any, change: bool) -> None:
        # What the site has said, the staff of a course can't take back.
        obj.is_of_course_staff = False
        super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("when"))
    def when(self, obj: AIPause) -> str:
        if not obj.has_hours:
            return _("always")
        days = ", ".join(str(WEEKDAYS[int(day)]) for day in obj.weekdays) or _("every day")
        return f"{days} {obj.from_time:%H:%M}\u2013{obj.to_time:%H:%M}" if obj.from_time and obj.to_time else days

    @admin.display(description=gettext_lazy("now"), boolean=True)
    def holds_now(self, obj: AIPause) -> bool:
        return obj.enabled and Pause.of(obj).is_active_at(timezone.now())

    @admin.action(description=gettext_lazy("Enable the selected pauses: AI off"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[AIPause]) -> None:
        count = queryset.update(enabled=True, is_of_course_staff=False)
        messages.success(request, ngettext("{n} pause is enabled.", "{n} pauses are enabled.", count).format(n=count))

    @admin.action(description=gettext_lazy("Disable the selected pauses: AI on"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[AIPause]) -> None:
        count = queryset.update(enabled=False)
        messages.success(request, ngettext("{n} pause is disabled.", "{n} pauses are disabled.", count).format(n=count))


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
