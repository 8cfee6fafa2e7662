"""A place in a course, and who looks at it: what the pages that try something out ask for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.admin.fields import CourseKeyFormField, SuggestingInput, known_courses
from openedx_ai_extensions.edxapp.access import may_see, parse_place
from openedx_ai_extensions.exceptions import InvalidRequest

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
