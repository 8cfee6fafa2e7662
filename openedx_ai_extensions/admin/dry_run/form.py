"""What is to be tried out, for whom, where, and with which model."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.place_form import PlaceForm
from openedx_ai_extensions.admin.profiles.form import template_choices, with_plain_line_ends
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import PayloadTooLarge
from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.runtime.dry_run import DryRunRequest

MOCK, REAL = "mock", "real"
CHANGE_PROFILE, ADD_PROFILE = (f"openedx_ai_extensions.{verb}_aiworkflowprofile" for verb in ("change", "add"))


class TryItForm(PlaceForm):
    """A saved profile, or a template with a patch that is judged as a save would."""

    profile = forms.ModelChoiceField(
        AIWorkflowProfile.objects.none(), label=gettext_lazy("Profile"), required=False, to_field_name="pk"
    )
    base_filepath = forms.ChoiceField(
        label=gettext_lazy("Template"),
        required=False,
        help_text=gettext_lazy("Choose one to try what is not saved; the profile then only lends its name."),
    )
    content_patch = forms.CharField(
        label=gettext_lazy("Patch (JSON5)"),
        required=False,
        strip=False,
        widget=forms.Textarea({"class": "aiext-code", "rows": 10, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Laid over that template. It is judged as if it were saved, and is not saved."),
    )
    text = forms.CharField(
        label=gettext_lazy("What the person says"),
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("A question, or an author's instructions. A chat without any words greets."),
    )
    number = forms.IntegerField(
        label=gettext_lazy("How many"),
        required=False,
        min_value=1,
        max_value=50,
        help_text=gettext_lazy("Of the cards or questions, where the workflow makes some."),
    )
    model = forms.ChoiceField(
        label=gettext_lazy("Who answers"),
        choices=(
            (MOCK, gettext_lazy("A mock: nobody is asked, it costs nothing, and it always answers the same")),
            (REAL, gettext_lazy("The profile's own provider: it is paid for, and the ledger says so")),
        ),
        initial=MOCK,
        widget=forms.RadioSelect,
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["profile"].queryset = AIWorkflowProfile.objects.order_by("slug")  # type: ignore[attr-defined]
        if may_write(user):
            choices = [("", _("As the profile is saved")), *template_choices("")[1:]]
            self.fields["base_filepath"].choices = choices  # type: ignore[attr-defined]
        else:
            # What somebody may not save could send anything to a model; and patches are not for everybody to read.
            del self.fields["base_filepath"], self.fields["content_patch"]

    def clean_text(self) -> str:
        text = with_plain_line_ends(self.cleaned_data["text"]).strip()
        if len(text) > conf.get("AI_EXTENSIONS_MAX_INPUT_CHARS"):
            raise ValidationError(PayloadTooLarge.default_message, code="max_length")
        return text

    def clean_content_patch(self) -> str:
        return with_plain_line_ends(self.cleaned_data["content_patch"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "profile" in self.errors:
            return cleaned
        saved, template = cleaned.get("profile"), cleaned.get("base_filepath")
        if template:
            cleaned["profile"] = self._unsaved(saved, template, cleaned.get("content_patch", ""))
        elif saved is None:
            self.add_error("profile", _("Choose a profile."))
        else:
            _is_valid, errors = saved.validate()
            for error in errors:
                self.add_error("profile", _("This profile is broken: {reason}").format(reason=error))
        return cleaned

    def _unsaved(self, saved: AIWorkflowProfile | None, template: str, patch: str) -> AIWorkflowProfile:
        """What a save would store, if it would accept it."""
        profile = AIWorkflowProfile(
            pk=saved.pk if saved else None,
            slug=saved.slug if saved else "",
            base_filepath=template,
            content_patch=patch,
        )
        try:
            profile.full_clean(exclude={"slug"}, validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                self.add_error(name if name in self.fields else NON_FIELD_ERRORS, errors)
        return profile

    @property
    def asked(self) -> DryRunRequest:
        """What a valid form asks for."""
        cleaned = self.cleaned_data
        course, location = self.place
        return DryRunRequest(
            profile=cleaned["profile"],
            payer=self.user,
            person=cleaned["person"],
            course_id=course,
            location_id=location,
            text=cleaned["text"],
            number=cleaned["number"],
            is_mock=cleaned["model"] == MOCK,
        )


def may_write(user: Any) -> bool:
    """May this person save profiles, and so try what is not saved?"""
    return bool(user.has_perm(CHANGE_PROFILE) or user.has_perm(ADD_PROFILE))
