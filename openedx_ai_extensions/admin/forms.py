"""Form fields and suggestions that several forms of the admin have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys import InvalidKeyError
from opaque_keys.edx.django.models import CourseKeyField
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.access import may_see, parse_place
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.models import AIWorkflowScope
from openedx_ai_extensions.workflows.unmatched_slots import unmatched

MAX_SUGGESTED_COURSES = 200
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
        *(entry.slot for entry in unmatched()[:MAX_SLOTS]),
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


def known_courses() -> list[str]:
    """Courses that a scope names."""
    courses = (
        AIWorkflowScope.objects.exclude(course_id=CourseKeyField.Empty)
        .order_by("course_id")
        .values_list("course_id", flat=True)
    )
    return [str(course) for course in courses.distinct()[:MAX_SUGGESTED_COURSES] if course]


TRY_AS_ANOTHER = "openedx_ai_extensions.try_as_another"


def person_named(name: str) -> Any:
    """The person with this username; None when it is empty.

    Raises:
        ValidationError: nobody has it.
    """
    if not name:
        return None
    users = get_user_model()
    try:
        return users._default_manager.get_by_natural_key(name)
    except users.DoesNotExist:
        raise ValidationError(_("Nobody has this username."), code="unknown") from None


class PlaceForm(forms.Form):
    """Where, and as whom.

    Args:
        user: who asks; only with a permission of its own for somebody else.
    """

    course = CourseKeyFormField(
        label=gettext_lazy("Course"), required=False, help_text=gettext_lazy("Such as course-v1:OpenedX+DemoX+2026.")
    )
    location = forms.CharField(
        label=gettext_lazy("Place in the course"),
        required=False,
        max_length=255,
        widget=forms.TextInput({"spellcheck": "false", "autocapitalize": "none", "size": 60}),
        help_text=gettext_lazy("The usage key of a unit, block or section: the address of its page holds it."),
    )
    person = forms.CharField(
        label=gettext_lazy("Person"),
        required=False,
        max_length=150,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
        help_text=gettext_lazy("The username of whoever is to see it; yourself if you leave it empty."),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        suggesting = {"spellcheck": "false", "autocapitalize": "none", "size": 60}
        self.fields["course"].widget = SuggestingInput(known_courses(), suggesting)
        if not user.has_perm(TRY_AS_ANOTHER):
            self.fields["person"].disabled = True
            self.fields["person"].help_text = _("Yourself: you may not try it as somebody else.")
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_helptext"

    def clean_person(self) -> Any:
        name = self.cleaned_data["person"].strip()
        if not name or name == self.user.get_username():
            return self.user
        if not self.user.has_perm(TRY_AS_ANOTHER):
            raise ValidationError(_("You may not try it as somebody else."), code="forbidden")
        return person_named(name)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        course, location = cleaned.get("course"), (cleaned.get("location") or "").strip()
        names = (_("The course"), _("the place"))
        try:
            cleaned["course"], cleaned["location"] = parse_place(
                str(course) if course else None, location or None, names=names
            )
        except InvalidRequest as error:
            self.add_error("location", str(error))
            return cleaned
        if not may_see(cleaned["person"], cleaned["course"], cleaned["location"]):
            where = "location" if cleaned["location"] else "course"
            message = _("{person} may not see this, or there is no such place.")
            self.add_error(where, message.format(person=cleaned["person"].get_username()))
        return cleaned

    @property
    def place(self) -> tuple[CourseKey | None, UsageKey | None]:
        """Of a valid form."""
        return self.cleaned_data["course"], self.cleaned_data["location"]
