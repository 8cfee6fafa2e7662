"""What to take out, and what to take in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.console.transfer import EntryKind, Format
from openedx_ai_extensions.console.transfer.reading import format_of

# What is asked about comes back with the answer, in a field: Django takes 2.5 million bytes of those by default.
MAX_UPLOAD = 1_000_000
KINDS = {
    EntryKind.PROMPTS: gettext_lazy("Prompts"),
    EntryKind.PROFILES: gettext_lazy("Profiles"),
    EntryKind.SCOPES: gettext_lazy("Scopes"),
}


class ExportForm(forms.Form):
    """A file to take along.

    Args:
        kinds: what this person may see.
        may_have_secrets: this person sees credentials in profiles anyway.
    """

    only = forms.MultipleChoiceField(
        label=gettext_lazy("What to export"), choices=(), widget=forms.CheckboxSelectMultiple
    )
    file_format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[(Format.YAML.value, "YAML"), (Format.CSV.value, gettext_lazy("CSV (scopes only)"))],
    )
    with_secrets = forms.BooleanField(
        label=gettext_lazy("Keep credentials"),
        required=False,
        help_text=gettext_lazy(
            "Otherwise [REDACTED] stands for them, and the file changes nothing of a profile that has them."
        ),
    )

    def __init__(self, data: Any, *, kinds: Sequence[EntryKind], may_have_secrets: bool) -> None:
        super().__init__(data, initial={"only": [str(kind) for kind in kinds]}, auto_id="id_export_%s", label_suffix="")
        field = self.fields["only"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  # for types
        field.choices = [(kind.value, KINDS[kind]) for kind in kinds]
        if not may_have_secrets:
            del self.fields["with_secrets"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("file_format") == Format.CSV and EntryKind.SCOPES not in cleaned.get("only", [EntryKind.SCOPES]):
            self.add_error("file_format", _("A CSV file has scopes only."))
        return cleaned


class UploadForm(forms.Form):
    """A file to look at first."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput({"accept": ".yaml,.yml,.csv", "aria-describedby": "id_import_file_helptext"}),
        help_text=gettext_lazy("A YAML file of an export, or a CSV file of scopes; one megabyte at most."),
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id="id_import_%s", label_suffix="")

    def clean_file(self) -> tuple[bytes, Format]:
        """The content, and its format by the name."""
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD:
            raise ValidationError(
                _("The file is larger than {count} bytes. The command ai_import takes larger ones.").format(
                    count=MAX_UPLOAD
                ),
                code="too_large",
            )
        return file.read(), format_of(file.name)


class ConfirmForm(forms.Form):
    """The same file again, and the plan that was agreed to."""

    content = forms.CharField(max_length=2 * MAX_UPLOAD, widget=forms.HiddenInput)
    file_format = forms.ChoiceField(choices=[(each.value, each.value) for each in Format], widget=forms.HiddenInput)
    fingerprint = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def clean_content(self) -> bytes:
        """Browsers change the line ends of a text, so it comes encoded."""
        try:
            return base64.b64decode(self.cleaned_data["content"], validate=True)
        except binascii.Error:
            raise ValidationError(_("The file did not come back as it was sent."), code="invalid") from None
