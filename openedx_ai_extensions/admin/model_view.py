"""What would the model see? The course text at a location as one user sees it, and what is left out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import PageAdmin
from openedx_ai_extensions.admin.forms import VisibleLocationForm
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.models import AIModelView
from openedx_ai_extensions.processors import OpenEdXProcessor
from openedx_ai_extensions.processors.llm.provider.providers import count_tokens

MODES = (
    (RetrievalMode.UNIT.value, gettext_lazy("The unit (unit)")),
    (RetrievalMode.SEQUENCE.value, gettext_lazy("All units of its subsection (sequence)")),
    (RetrievalMode.UP_TO_CURRENT_UNIT.value, gettext_lazy("All units up to this one (up_to_current_unit)")),
)


class ModelViewForm(VisibleLocationForm):
    """A location, and the options of a profile that determine how much is read."""

    retrieval_mode = forms.ChoiceField(
        label=gettext_lazy("How much"), choices=MODES, help_text=gettext_lazy("Like retrieval_mode in a profile.")
    )
    char_limit = forms.IntegerField(
        label=gettext_lazy("Longest text, in characters"),
        required=False,
        min_value=1,
        max_value=10**9,
        help_text=gettext_lazy("Like char_limit in a profile; empty for no limit."),
    )

    def clean_location(self) -> str:
        location: str = self.cleaned_data["location"]
        if not location and not self.data.get("course"):
            raise ValidationError(_("Enter a course or a location in a course."), code="required")
        return location


@admin.register(AIModelView)
class ModelViewAdmin(PageAdmin):
    """A form, and the text below it. The page writes nothing, so the form is sent with GET."""

    url_name = "openedx_ai_extensions_model_view"
    permissions = ("openedx_ai_extensions.try_workflow", "openedx_ai_extensions.view_aiworkflowprofile")

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css", "openedx_ai_extensions/admin/try_it.css")}

    def page(self, request: HttpRequest) -> HttpResponseBase:
        form = ModelViewForm(request.user, request.GET or None)
        reading = _reading(form.cleaned_data) if form.is_valid() else {}
        return self.render(request, "model_view/page.html", title=_("What would the model see?"), form=form, **reading)


def _reading(cleaned: dict[str, Any]) -> dict[str, Any]:
    processor = OpenEdXProcessor(
        {OpenEdXProcessor.__name__: {name: cleaned[name] for name in ("retrieval_mode", "char_limit")}},
        # The course block stands for all units of the course.
        location_id=cleaned["location"] or cleaned["course"].make_usage_key("course", "course"),
        user=cleaned["person"],
    )
    try:
        reading = processor.explain_location_content()
    except ProcessorError as error:
        return {"problem": str(error)}
    return {
        "reading": reading,
        "person": cleaned["person"],
        "characters": len(reading.text),
        "tokens": count_tokens(reading.text),
    }
