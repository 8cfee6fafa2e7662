"""Where and when AI is off, the notices that people accept before AI is used, and their consents."""

from __future__ import annotations

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

from openedx_ai_extensions.admin.base import BaseAdmin, ReadOnlyAdmin
from openedx_ai_extensions.admin.forms import CourseKeyFormField
from openedx_ai_extensions.models import AIConsent, AINotice, AINoticeVersion, AIPause
from openedx_ai_extensions.policy.pauses import Pause
from openedx_ai_extensions.reports.usage import csv_response


class PauseForm(forms.ModelForm):
    """Days of the week are checkboxes."""

    course_id = CourseKeyFormField(label=gettext_lazy("Only in this course"), required=False)
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On these days"),
        choices=[(str(number), name) for number, name in WEEKDAYS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None means every day. Hours past midnight belong to the day on which they start."),
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
    """A pause takes effect within seconds."""

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
                "description": gettext_lazy("Leave all of these empty to switch AI off on the whole site."),
                "fields": ("course_id", "profile", "location_regex"),
            },
        ),
        (
            gettext_lazy("When"),
            {
                "description": gettext_lazy(
                    "Leave days and times empty to switch AI off at once. Days or times make it quiet hours: widgets "
                    "stay on the page and tell when AI is available again."
                ),
                "fields": ("weekdays", ("from_time", "to_time"), ("starts_at", "ends_at")),
            },
        ),
    )

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css",)}

    def save_model(self, request: HttpRequest, obj: AIPause, form: Any, change: bool) -> None:
        obj.is_of_course_staff = False  # so that course staff cannot end a pause that the site has saved
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
    """Every wording is kept, with the number of people who accepted it."""

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
        """The versions, with the number of people who accepted each, and of those who withdrew."""
        accepted, holding = Count("consents__user", distinct=True), Count("consents__holds")
        versions = obj.versions.order_by("-number").annotate(accepted=accepted, holding=holding)
        row = "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
        rows = format_html_join("", row, map(_version_cells, versions))
        heads = (_("Version"), _("Time"), _("Accepted"), _("Withdrawn"), _("Text"))
        head = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in heads))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, rows)


def _version_cells(version: AINoticeVersion) -> tuple[object, ...]:
    url = reverse(f"admin:{AIConsent._meta.app_label}_{AIConsent._meta.model_name}_changelist")
    accepted, holding = version.accepted, version.holding  # type: ignore[attr-defined]  # annotated
    link = format_html('<a href="{}?version__id__exact={}">{}</a>', url, version.pk, accepted)
    text = version.text if len(version.text) <= 200 else f"{version.text[:200]}\u2026"
    return version.number, f"{version.created_at:%Y-%m-%d %H:%M}", link, accepted - min(holding, accepted), text


class HoldsFilter(admin.SimpleListFilter):
    """Consents that hold, or consents that were withdrawn."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("holds", gettext_lazy("holds")), ("withdrawn", gettext_lazy("withdrawn"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AIConsent]) -> QuerySet[AIConsent]:
        chosen = self.value()
        return queryset.filter(holds=chosen == "holds" or None) if chosen in {"holds", "withdrawn"} else queryset


@admin.register(AIConsent)
class ConsentAdmin(ReadOnlyAdmin):
    """Only the user can withdraw a consent; consents are deleted with the user."""

    cascade_permission = "auth.delete_user"
    list_display = ("user", "version", "providers", "accepted_at", "withdrawn_at")
    list_select_related = ("user", "version")
    list_filter = (HoldsFilter, ("version", admin.RelatedOnlyFieldListFilter), "version__notice")
    search_fields = ("user__username", "user__email")
    date_hierarchy = "accepted_at"
    ordering = ("-accepted_at", "-pk")
    list_per_page = 50
    actions = ("export",)
    fields = ("user", "version", "providers", "fingerprint", "accepted_at", "withdrawn_at")

    @admin.action(description=gettext_lazy("Export the selected consents as CSV"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[AIConsent]) -> StreamingHttpResponse:
        consents = queryset.select_related("user", "version").order_by("pk").iterator(chunk_size=1000)
        return csv_response("ai-consents", map(_consent_record, consents))


def _consent_record(consent: AIConsent) -> dict[str, Any]:
    return {
        "person": consent.user.get_username(),
        "notice": consent.version.title,
        "version": consent.version.number,
        "providers": consent.providers,
        "fingerprint": consent.fingerprint,
        "accepted": consent.accepted_at.isoformat(),
        "withdrawn": consent.withdrawn_at.isoformat() if consent.withdrawn_at else "",
    }
