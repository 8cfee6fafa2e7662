"""Why here: which scope answers at a place, why the others don't, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.admin.display import change_link
from openedx_ai_extensions.admin.forms import (
    CourseKeyFormField,
    SuggestingInput,
    known_courses,
    known_slots,
    person_named,
)
from openedx_ai_extensions.console.diagnosis import Diagnosis, diagnose, reason_texts, scope_title, unmatched_slots
from openedx_ai_extensions.console.overlaps import overlaps
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.models import AIWorkflowScope

EXACT = {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
TEMPLATE = "admin/openedx_ai_extensions/why/page.html"


class WhyForm(forms.Form):
    """A place that a widget asks from, and maybe a person."""

    slot = forms.CharField(
        label=gettext_lazy("Widget slot"),
        max_length=255,
        help_text=gettext_lazy("The identifier that the page's widget asks with."),
    )
    service = forms.ChoiceField(label=gettext_lazy("Service"), choices=AIWorkflowScope.SERVICE_VARIANTS)
    course = CourseKeyFormField(
        label=gettext_lazy("Course id"),
        required=False,
        help_text=gettext_lazy("Such as course-v1:OpenedX+DemoX+2026. Empty: outside of courses, or the location's."),
    )
    location = forms.CharField(
        label=gettext_lazy("Location"),
        required=False,
        max_length=255,
        widget=forms.TextInput({**EXACT, "size": 60}),
        help_text=gettext_lazy("The usage key of the unit, if the widget is in one."),
    )
    person = forms.CharField(
        label=gettext_lazy("Username"),
        required=False,
        max_length=150,
        widget=forms.TextInput(EXACT),
        help_text=gettext_lazy("Empty: for nobody in particular."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"service": conf.service_variant()}, label_suffix="")
        self.fields["slot"].widget = SuggestingInput(known_slots(), {**EXACT, "size": 60, "maxlength": 255})
        self.fields["course"].widget = SuggestingInput(known_courses(), {**EXACT, "size": 60, "maxlength": 255})
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_helptext"

    def clean_person(self) -> Any:
        return person_named(self.cleaned_data["person"])

    def clean(self) -> dict[str, Any]:
        """With the location as a key in ``usage_key``."""
        cleaned = super().clean() or self.cleaned_data
        course, location = cleaned.get("course"), cleaned.get("location")
        cleaned["usage_key"] = None
        if location and "course" not in self.errors:
            names = (_("The course id"), _("The location"))
            try:
                _key, cleaned["usage_key"] = parse_place(course and str(course), location, names=names)
            except InvalidRequest as error:
                self.add_error("location", str(error))
        return cleaned


class WhyAdmin(BaseAdmin):
    """Adds the page to the admin of scopes. Whoever may see scopes may ask."""

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_why"
        return [path("why/", self.admin_site.admin_view(self.why_view), name=name), *super().get_urls()]

    def why_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = WhyForm(request.GET) if request.GET else WhyForm()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Why here?"),
            "opts": self.opts,
            "form": form,
            "asked": [
                {"entry": entry, "why": _why_query(entry), "add": _add_query(entry)} for entry in unmatched_slots()
            ],
            "may_add": self.has_add_permission(request),
            "findings": [
                {
                    "scope": _link(finding.scope),
                    "text": finding.text,
                    "other": finding.other and _link(finding.other),
                }
                for finding in overlaps()
            ],
        }
        if form.is_bound and form.is_valid():
            context |= _answer(form)
        return TemplateResponse(request, TEMPLATE, context)


def _answer(form: WhyForm) -> dict[str, Any]:
    asked = form.cleaned_data
    diagnosis = diagnose(asked["course"], asked["usage_key"], asked["slot"], asked["service"], asked["person"])
    winner = diagnosis.explanation.winner
    return {
        "diagnosis": diagnosis,
        "winner": winner and _link(winner),
        "profile": winner and change_link(winner.profile, winner.profile.slug),
        "problems": [problem.labelled for problem in diagnosis.problems],
        "others": list(_others(diagnosis)),
    }


def _others(diagnosis: Diagnosis) -> Iterator[dict[str, Any]]:
    for explained in diagnosis.explanation.others:
        scope = explained.scope
        yield {"scope": _link(scope), "profile": scope.profile.slug, "losses": reason_texts(explained)}


def _link(scope: Any) -> Any:
    return change_link(scope, f"{scope_title(scope)} (#{scope.pk})")


def _why_query(entry: Any) -> str:
    return urlencode({"slot": entry.slot, "service": entry.variant, "course": entry.course_id})


def _add_query(entry: Any) -> str:
    address = reverse("admin:openedx_ai_extensions_aiworkflowscope_add")
    query = {
        "ui_slot_selector_id": entry.slot,
        "service_variant": entry.variant,
        "course_id": entry.course_id,
    }
    return f"{address}?{urlencode(query)}"
