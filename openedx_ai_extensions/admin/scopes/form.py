"""The form to write a scope with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.models import AIWorkflowScope
from openedx_ai_extensions.workflows.unmatched_slots import unserved

MAX_SLOTS = 200
MAX_COURSES = 500


class CourseKeyFormField(forms.Field):
    """A course id as text; its value is a ``CourseKey``, or None when left empty."""

    widget = forms.TextInput
    max_length = 255

    def to_python(self, value: Any) -> CourseKey | None:
        if isinstance(value, CourseKey):
            return value
        text = str(value or "").strip()
        if not text:
            return None
        if len(text) > self.max_length:
            raise ValidationError(
                _("A course id has at most {count} characters.").format(count=self.max_length), code="max_length"
            )
        try:
            return CourseKey.from_string(text)
        except InvalidKeyError:
            raise ValidationError(_course_id_message(text), code="invalid") from None


def _course_id_message(text: str) -> str:
    # What addresses and forms do to a course id: "%3A" for ":", a space for "+".
    guess = unquote(text).replace(" ", "+")
    try:
        CourseKey.from_string(guess)
    except InvalidKeyError:
        return _(
            "“{text}” is not a course id. Write it as the course's address shows it, such as "
            "course-v1:OpenedX+DemoX+2026, or leave it empty for every course."
        ).format(text=text)
    return _("“{text}” is not a course id. Did you mean {guess}?").format(text=text, guess=guess)


class CourseKeysFormField(forms.Field):
    """Course ids as text, one a line; its value is a list of ``CourseKey``, or of None alone when left empty."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> list[CourseKey | None]:
        one = CourseKeyFormField(required=False)
        keys: dict[CourseKey, int] = {}
        errors: list[ValidationError] = []
        lines = [line.strip() for line in str(value or "").splitlines()]
        if sum(map(bool, lines)) > MAX_COURSES:
            raise ValidationError(_("These are more than {count} courses.").format(count=MAX_COURSES), code="too_many")
        for number, line in enumerate(lines, start=1):
            try:
                key = one.to_python(line)
            except ValidationError as error:
                errors += [_on_line(number, len(lines), message) for message in error.messages]
                continue
            if key in keys:
                errors.append(_on_line(number, len(lines), _("This is line {number} again.").format(number=keys[key])))
            elif key is not None:
                keys[key] = number
        if errors:
            raise ValidationError(errors)
        return list(keys) or [None]


def _on_line(number: int, count: int, message: str) -> ValidationError:
    text = _("Line {number}: {message}").format(number=number, message=message) if count > 1 else message
    return ValidationError(text, code="invalid")


def known_slots() -> list[str]:
    """Those of the setting, those that scopes name, and those that widgets asked for."""
    used = AIWorkflowScope.objects.exclude(ui_slot_selector_id="").order_by("ui_slot_selector_id")
    names = [
        *conf.get("OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS"),
        *used.values_list("ui_slot_selector_id", flat=True).distinct()[:MAX_SLOTS],
        *(entry.slot for entry in unserved()[:MAX_SLOTS]),
    ]
    return list(dict.fromkeys(names))


class SuggestingInput(forms.TextInput):
    """A text input that suggests values and takes any."""

    def __init__(self, suggestions: Iterable[str], attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(dict(attrs or {}))
        self.suggestions = tuple(suggestions)

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        list_id = f"{name}-suggestions"
        options = format_html_join("", '<option value="{}"></option>', ((text,) for text in self.suggestions))
        box = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        return format_html('{}<datalist id="{}">{}</datalist>', box, list_id, options)


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
