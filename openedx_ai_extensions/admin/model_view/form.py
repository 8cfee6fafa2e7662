"""Which text, of which place, for whom."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.place_form import PlaceForm
from openedx_ai_extensions.edxapp.interface import RetrievalMode

MODES = (
    (RetrievalMode.UNIT.value, gettext_lazy("The unit (unit)")),
    (RetrievalMode.SEQUENCE.value, gettext_lazy("All units of its section (sequence)")),
    (RetrievalMode.UP_TO_CURRENT_UNIT.value, gettext_lazy("All units up to this one (up_to_current_unit)")),
)


class ModelViewForm(PlaceForm):
    """As ``PlaceForm``, with what a profile says of reading."""

    retrieval_mode = forms.ChoiceField(
        label=gettext_lazy("How much"), choices=MODES, help_text=gettext_lazy("As a profile's retrieval_mode says.")
    )
    char_limit = forms.IntegerField(
        label=gettext_lazy("Longest text, in characters"),
        required=False,
        min_value=1,
        max_value=10**9,
        help_text=gettext_lazy("As a profile's char_limit says; empty for no limit."),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.order_fields(["course", "location", "person", "retrieval_mode", "char_limit"])

    def clean_location(self) -> str:
        location: str = self.cleaned_data["location"].strip()
        if not location and not self.data.get("course"):
            raise ValidationError(_("Say where: a course, or a place in one."), code="required")
        return location
