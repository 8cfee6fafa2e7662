"""What "why here?" is asked about."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.fields import CourseKeyFormField, SuggestingInput, known_courses, known_slots
from openedx_ai_extensions.admin.person_name import person_named
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.models import AIWorkflowScope

EXACT = {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}


class WhyForm(forms.Form):
    """A place that a widget asks from, and maybe a person."""

    slot = forms.CharField(
        label=gettext_lazy("Widget slot"),
        max_length=255,
        help_text=gettext_lazy("The identifier that the page's widget asks with."),
    )
    service = forms.ChoiceField(label=gettext_lazy("Service"), choices=AIWorkflowScope.SERVICE_VARIANTS)
    course = CourseKeyFormField(
        label=gettext_lazy("Course id"),
        required=False,
        help_text=gettext_lazy("Such as course-v1:OpenedX+DemoX+2026. Empty: outside of courses, or the location's."),
    )
    location = forms.CharField(
        label=gettext_lazy("Location"),
        required=False,
        max_length=255,
        widget=forms.TextInput({**EXACT, "size": 60}),
        help_text=gettext_lazy("The usage key of the unit, if the widget is in one."),
    )
    person = forms.CharField(
        label=gettext_lazy("Username"),
        required=False,
        max_length=150,
        widget=forms.TextInput(EXACT),
        help_text=gettext_lazy("Empty: for nobody in particular."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"service": conf.service_variant()}, label_suffix="")
        self.fields["slot"].widget = SuggestingInput(known_slots(), {**EXACT, "size": 60, "maxlength": 255})
        self.fields["course"].widget = SuggestingInput(known_courses(), {**EXACT, "size": 60, "maxlength": 255})
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_helptext"

    def clean_person(self) -> Any:
        return person_named(self.cleaned_data["person"])

    def clean(self) -> dict[str, Any]:
        """With the location as a key in ``usage_key``."""
        cleaned = super().clean() or self.cleaned_data
        course, location = cleaned.get("course"), cleaned.get("location")
        cleaned["usage_key"] = None
        if location and "course" not in self.errors:
            names = (_("The course id"), _("The location"))
            try:
                _key, cleaned["usage_key"] = parse_place(course and str(course), location, names=names)
            except InvalidRequest as error:
                self.add_error("location", str(error))
        return cleaned
