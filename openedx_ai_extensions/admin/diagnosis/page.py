"""Why here: which scope answers at a place, why the others don't, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from openedx_ai_extensions.admin.base import BaseAdmin
from openedx_ai_extensions.admin.diagnosis.form import WhyForm
from openedx_ai_extensions.admin.display import change_link
from openedx_ai_extensions.console.diagnosis import Diagnosis, asked_in_vain, diagnose, findings, scope_title
from openedx_ai_extensions.console.diagnosis.words import problem_text, reason_texts

TEMPLATE = "admin/openedx_ai_extensions/why/page.html"


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
                {"entry": entry, "why": _why_query(entry), "add": _add_query(entry)} for entry in asked_in_vain()
            ],
            "may_add": self.has_add_permission(request),
            "findings": [
                {
                    "scope": _link(finding.scope),
                    "text": finding.text,
                    "other": finding.other and _link(finding.other),
                }
                for finding in findings()
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
        "problems": [problem_text(problem) for problem in diagnosis.problems],
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
