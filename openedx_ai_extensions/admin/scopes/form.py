"""The form to write a scope with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.admin.fields import CourseKeyFormField, CourseKeysFormField, SuggestingInput, known_slots
from openedx_ai_extensions.models import AIWorkflowScope


class ScopeForm(forms.ModelForm):
    """Where a profile applies."""

    course_id = CourseKeyFormField(
        label=gettext_lazy("Course id"),
        required=False,
        widget=forms.TextInput(attrs={"size": 60, "maxlength": 255, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=gettext_lazy("Such as course-v1:OpenedX+DemoX+2026. Leave it empty for every course."),
    )

    class Meta:
        model = AIWorkflowScope
        fields = (
            "profile",
            "enabled",
            "service_variant",
            "ui_slot_selector_id",
            "course_id",
            "location_regex",
            "outside_courses",
        )
        labels = {
            "profile": gettext_lazy("Profile"),
            "enabled": gettext_lazy("Enabled"),
            "service_variant": gettext_lazy("Service"),
            "ui_slot_selector_id": gettext_lazy("Widget slot"),
            "location_regex": gettext_lazy("Location pattern"),
            "outside_courses": gettext_lazy("Outside of courses too"),
        }
        help_texts = {
            "profile": gettext_lazy("What runs here."),
            "enabled": gettext_lazy("A scope that is not enabled is as good as absent."),
            "service_variant": gettext_lazy("Where it appears: to learners in the LMS, or to authors in Studio."),
            "ui_slot_selector_id": gettext_lazy(
                "The identifier that the page's widget asks with; it must match exactly. Without one, no widget shows "
                "this workflow."
            ),
            "location_regex": gettext_lazy(
                "A regular expression that is searched for in the location's usage key, such as @vertical\\+block@. "
                "Leave it empty for every location."
            ),
        }

        widgets = {"location_regex": forms.TextInput(attrs={"size": 60, "spellcheck": "false"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Absent for those who may only look: the page has no inputs then.
        slot = self.fields.get("ui_slot_selector_id")
        if slot is not None:
            slot.widget = SuggestingInput(known_slots(), attrs=slot.widget.attrs)


class ScopeAddForm(ScopeForm):
    """Where a profile applies: a scope for each of several courses."""

    # The same name as when a scope is changed: addresses that fill in the form need not know of two.
    course_id = CourseKeysFormField(  # type: ignore[assignment]
        label=gettext_lazy("Course ids"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 70, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=gettext_lazy(
            "One a line, such as course-v1:OpenedX+DemoX+2026: each gets a scope of its own. Leave it empty for one "
            "scope of every course."
        ),
    )

    def clean_course_id(self) -> CourseKey | None:
        """The first course; the rest are in ``other_courses``."""
        first, *self.other_courses = self.cleaned_data["course_id"]
        return first

    def others(self) -> list[AIWorkflowScope]:
        """The scopes of the other courses, not saved yet."""
        fields = ("profile", "enabled", "service_variant", "ui_slot_selector_id", "location_regex")
        values = {name: getattr(self.instance, name) for name in fields}
        return [AIWorkflowScope(course_id=course, **values) for course in self.other_courses]
