"""What would the model see? The text that it reads at a place, as one person sees it, and what is left out of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import PageAdmin
from openedx_ai_extensions.admin.forms import PlaceForm
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.models import AIModelView
from openedx_ai_extensions.processors import OpenEdXProcessor
from openedx_ai_extensions.processors.llm.provider.model_info import count_tokens

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


@admin.register(AIModelView)
class ModelViewAdmin(PageAdmin):
    """A form, and the text below it. Nothing is written, so it is asked for by address."""

    url_name = "openedx_ai_extensions_model_view"
    permissions = ("openedx_ai_extensions.try_workflow", "openedx_ai_extensions.view_aiworkflowprofile")

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/workflows.css", "openedx_ai_extensions/admin/try_it.css")}

    def page(self, request: HttpRequest) -> HttpResponseBase:
        form = ModelViewForm(request.user, request.GET) if request.GET else ModelViewForm(request.user)
        context = self.context(request, title=_("What would the model see?"), form=form)
        if form.is_bound and form.is_valid():
            context |= _reading(form)
        return TemplateResponse(request, "admin/openedx_ai_extensions/model_view/page.html", context)


def _reading(form: ModelViewForm) -> dict[str, Any]:
    asked = form.cleaned_data
    course, location = form.place
    # The course block stands for all its units.
    place = location if location or not course else course.make_usage_key("course", "course")
    processor = OpenEdXProcessor(
        {OpenEdXProcessor.__name__: {name: asked[name] for name in ("retrieval_mode", "char_limit")}},
        location_id=place,
        user=asked["person"],
    )
    try:
        reading = processor.explain_location_content()
    except ProcessorError as error:
        return {"problem": str(error)}
    return {
        "reading": reading,
        "person": asked["person"],
        "characters": len(reading.text),
        "tokens": count_tokens(reading.text),
    }
