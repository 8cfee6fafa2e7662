"""The form to write a limit with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.fields import CourseKeyFormField, SuggestingInput, known_courses
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.models import AILimit


class LimitForm(forms.ModelForm):
    """How much may be used, of what, by whom."""

    course_id = CourseKeyFormField(
        label=gettext_lazy("only in this course"),
        required=False,
        help_text=gettext_lazy(
            "Such as course-v1:OpenedX+DemoX+2026; empty for every course. A limit of each person then counts what "
            "the person used in this course."
        ),
    )

    class Meta:
        model = AILimit
        fields = ("per", "period", "enabled", "requests", "tokens", "money", "tier", "user", "course_id", "profile",
                  "provider")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Absent for those who may only look: the page has no inputs then.
        course, provider = self.fields.get("course_id"), self.fields.get("provider")
        if course is not None:
            course.widget = SuggestingInput(known_courses(), {"size": 60, "maxlength": 255, "spellcheck": "false"})
        if provider is not None:
            provider.widget = SuggestingInput(conf.providers(), provider.widget.attrs)
