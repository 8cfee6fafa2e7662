"""Form fields and forms that several admin pages use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.access import find_user, may_see, parse_place
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
from openedx_ai_extensions.workflows.unmatched_slots import unmatched

MAX_SUGGESTIONS = 200
MAX_COURSES = 500
TRY_AS_ANOTHER = "openedx_ai_extensions.try_as_another"
LITERAL_INPUT = {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
KEY_INPUT = {**LITERAL_INPUT, "size": 60, "maxlength": 255}


def known_courses() -> list[str]:
    """The courses that scopes name."""
    scopes = AIWorkflowScope.objects.exclude(course_id=CourseKeyField.Empty).order_by("course_id")
    courses = scopes.values_list("course_id", flat=True).distinct()[:MAX_SUGGESTIONS]
    return [str(course) for course in courses if course]


def known_profiles() -> Iterable[str]:
    return AIWorkflowProfile.objects.order_by("slug").values_list("slug", flat=True)[:MAX_SUGGESTIONS]


def known_slots() -> list[str]:
    """The slots of the setting, those that scopes name, and those that widgets requested without success."""
    used = AIWorkflowScope.objects.exclude(ui_slot_selector_id="").order_by("ui_slot_selector_id")
    names = [
        *conf.get("OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS"),
        *used.values_list("ui_slot_selector_id", flat=True).distinct()[:MAX_SUGGESTIONS],
        *(entry.slot for entry in unmatched()[:MAX_SUGGESTIONS]),
    ]
    return list(dict.fromkeys(names))


class SuggestingInput(forms.TextInput):
    """A text input that suggests values and accepts any.

    Args:
        suggestions: returns the suggested values; called for each page.
    """

    def __init__(self, suggestions: Callable[[], Iterable[str]], attrs: Mapping[str, Any] = LITERAL_INPUT) -> None:
        super().__init__(dict(attrs))
        self.suggestions = suggestions

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        list_id = f"{name}-suggestions"
        options = format_html_join("", '<option value="{}"></option>', ((text,) for text in self.suggestions()))
        box = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        return format_html('{}<datalist id="{}">{}</datalist>', box, list_id, options)


class CourseKeyFormField(forms.Field):
    """A course id as text; its value is a ``CourseKey``, or None when left empty."""

    widget = SuggestingInput(known_courses, KEY_INPUT)
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
    # URLs and forms change a course id: "%3A" for ":", a space for "+".
    guess = unquote(text).replace(" ", "+")
    try:
        CourseKey.from_string(guess)
    except InvalidKeyError:
        return _(
            "“{text}” is not a course id. Copy it from the URL of the course, such as course-v1:OpenedX+DemoX+2026, or "
            "leave it empty for every course."
        ).format(text=text)
    return _("“{text}” is not a course id. Did you mean {guess}?").format(text=text, guess=guess)


class CourseKeysFormField(forms.Field):
    """Course ids as text, one per line; its value is a list of ``CourseKey``, or ``[None]`` when left empty."""

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
                errors.append(_on_line(number, len(lines), _("This repeats line {number}.").format(number=keys[key])))
            elif key is not None:
                keys[key] = number
        if errors:
            raise ValidationError(errors)
        return list(keys) or [None]


def _on_line(number: int, count: int, message: str) -> ValidationError:
    text = _("Line {number}: {message}").format(number=number, message=message) if count > 1 else message
    return ValidationError(text, code="invalid")


class UserFormField(forms.CharField):
    """A username; its value is the user, or None when left empty."""

    widget = forms.TextInput(LITERAL_INPUT)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=150, **kwargs)

    def clean(self, value: Any) -> Any:
        username = super().clean(value)
        try:
            return find_user(username) if username else None
        except InvalidRequest as error:
            raise ValidationError(str(error), code="unknown") from None


class LocationForm(forms.Form):
    """A course and a location in it. The cleaned values are keys, or None when left empty."""

    course = CourseKeyFormField(
        label=gettext_lazy("Course id"),
        required=False,
        help_text=gettext_lazy(
            "Such as course-v1:OpenedX+DemoX+2026. Leave it empty outside of courses, or if you enter a location."
        ),
    )
    location = forms.CharField(
        label=gettext_lazy("Location"),
        required=False,
        max_length=255,
        widget=forms.TextInput(KEY_INPUT),
        help_text=gettext_lazy(
            "The usage key of a section, subsection, unit or block. The URL of its page contains it."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_helptext"  # Django does it from 5.0 on

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        course, location = cleaned.get("course"), cleaned.get("location")
        cleaned["location"] = None
        if location and "course" not in self.errors:
            names = (_("this course"), _("This usage key"))
            try:
                cleaned["course"], cleaned["location"] = parse_place(course and str(course), location, names=names)
            except InvalidRequest as error:
                self.add_error("location", str(error))
        return cleaned


class VisibleLocationForm(LocationForm):
    """A location that the named user can see; by default the user who sends the form.

    Args:
        user: who sends the form. Naming another user needs the permission ``try_as_another``.
    """

    person = UserFormField(
        label=gettext_lazy("Username"),
        help_text=gettext_lazy("The user who is to see it. Leave it empty for yourself."),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if not user.has_perm(TRY_AS_ANOTHER):
            person = self.fields["person"]
            person.disabled = True  # Django then ignores what was sent
            person.help_text = _("Yourself: you do not have the permission to try it as another user.")

    def clean_person(self) -> Any:
        return self.cleaned_data["person"] or self.user

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not may_see(cleaned["person"], cleaned["course"], cleaned["location"]):
            message = _("This location does not exist, or {user} cannot see it.")
            self.add_error(
                "location" if cleaned["location"] else "course",
                message.format(user=cleaned["person"].get_username()),
            )
        return cleaned
