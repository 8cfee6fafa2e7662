"""Pauses: where and when AI is off."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.admin.fields import CourseKeyFormField
from openedx_ai_extensions.models import AIPause
from openedx_ai_extensions.policy.pauses import Pause


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
