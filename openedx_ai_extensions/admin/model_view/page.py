"""What would the model see? The text that it reads at a place, as one person sees it, and what is left out of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from openedx_ai_extensions.admin.model_view.form import ModelViewForm
from openedx_ai_extensions.admin.page import PageAdmin
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.models import AIModelView
from openedx_ai_extensions.processors import OpenEdXProcessor
from openedx_ai_extensions.processors.llm.provider.model_info import count_tokens


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
