"""What a usage report is to be about."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.fields import CourseKeyFormField, SuggestingInput, known_courses
from openedx_ai_extensions.admin.person_name import person_named
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.reports.kinds import By, Filters

BY = (
    (By.DAY, gettext_lazy("Day")),
    (By.MONTH, gettext_lazy("Month")),
    (By.COURSE, gettext_lazy("Course")),
    (By.PROFILE, gettext_lazy("Profile")),
    (By.PROVIDER, gettext_lazy("Provider")),
    (By.MODEL, gettext_lazy("Model")),
    (By.PERSON, gettext_lazy("Person")),
)
SHOW = (
    ("cost", gettext_lazy("Cost")),
    ("tokens", gettext_lazy("Tokens")),
    ("runs", gettext_lazy("Runs")),
    ("errors", gettext_lazy("Errors")),
    ("refused", gettext_lazy("Refusals")),
)
DAYS = 30
MAX_DAYS = 3 * 366


class UsageForm(forms.Form):
    """Filters of a report; an empty form is the last 30 days of everything."""

    by = forms.ChoiceField(label=gettext_lazy("A line for each"), choices=BY, required=False)
    show = forms.ChoiceField(label=gettext_lazy("Chart"), choices=SHOW, required=False)
    since = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("To"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    course = CourseKeyFormField(label=gettext_lazy("Course"), required=False)
    profile = forms.CharField(label=gettext_lazy("Profile"), required=False, max_length=100)
    provider = forms.CharField(label=gettext_lazy("Provider"), required=False, max_length=100)
    person = forms.CharField(
        label=gettext_lazy("Person"), required=False, widget=forms.TextInput({"autocomplete": "off", "size": 20})
    )

    def __init__(self, data: Any) -> None:
        today = timezone.localdate(timezone=timezone.get_default_timezone())
        defaults = {"by": By.DAY, "show": "cost", "since": str(today - timedelta(days=DAYS - 1)), "until": str(today)}
        super().__init__({**defaults, **{name: value for name, value in data.items() if value}})
        slugs = AIWorkflowProfile.objects.order_by("slug").values_list("slug", flat=True)[:200]
        self.fields["course"].widget = SuggestingInput(known_courses(), {"spellcheck": "false", "size": 40})
        self.fields["profile"].widget = SuggestingInput(slugs, {"spellcheck": "false"})
        self.fields["provider"].widget = SuggestingInput(conf.providers(), {"spellcheck": "false"})

    def clean_person(self) -> Any:
        return person_named(self.cleaned_data["person"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and not timedelta(0) <= until - since < timedelta(days=MAX_DAYS):
            self.add_error("until", _("Choose a day after the first, and no more than three years."))
        if cleaned.get("by") == By.PERSON and any(cleaned.get(name) for name in ("course", "profile", "provider")):
            self.add_error("by", _("A line for each person takes no course, profile or provider."))
        return cleaned

    @property
    def by_what(self) -> By:
        return By(self.cleaned_data["by"])

    def filters(self) -> Filters:
        """What was asked for, once the form is valid."""
        cleaned = self.cleaned_data
        since: date = cleaned["since"]
        return Filters(
            since,
            cleaned["until"],
            course_id=str(cleaned["course"] or ""),
            profile_slug=cleaned["profile"],
            provider=cleaned["provider"],
            user_id=cleaned["person"].pk if cleaned["person"] else None,
        )
