"""Which scope answers a widget at a location and why ("Why here?"), and which locations a pattern matches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.admin.base import BaseAdmin, change_link
from openedx_ai_extensions.admin.forms import (
    KEY_INPUT,
    CourseKeyFormField,
    LocationForm,
    SuggestingInput,
    UserFormField,
    known_slots,
)
from openedx_ai_extensions.console.diagnosis import diagnose, reason_texts, scope_title, unmatched_slots
from openedx_ai_extensions.console.overlaps import overlaps
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import OutlineNode, Person
from openedx_ai_extensions.exceptions import ProcessorError
from openedx_ai_extensions.models import AIWorkflowScope
from openedx_ai_extensions.workflows.resolution import MAX_LENGTH, NonMatchReason, mismatch, validate_pattern
from openedx_ai_extensions.workflows.unmatched_slots import UnmatchedSlot


class WhyForm(LocationForm):
    """A widget, its location, and optionally a user."""

    slot = forms.CharField(
        label=gettext_lazy("Widget slot"),
        max_length=255,
        widget=SuggestingInput(known_slots, KEY_INPUT),
        help_text=gettext_lazy("The identifier that the widget sends."),
    )
    service = forms.ChoiceField(
        label=gettext_lazy("Service"), choices=AIWorkflowScope.SERVICE_VARIANTS, initial=conf.service_variant
    )
    person = UserFormField(
        label=gettext_lazy("Username"),
        help_text=gettext_lazy("Leave it empty to skip the checks that depend on the user."),
    )
    field_order = ("slot", "service", "course", "location", "person")


class DiagnosisAdmin(BaseAdmin):
    """Adds the pages to the admin of scopes."""

    def get_urls(self) -> list[Any]:
        return [
            self.extra_page("why/", "why", self.why_view),
            self.extra_page("locations/", "locations", self.locations_view),
            *super().get_urls(),
        ]

    def why_view(self, request: HttpRequest) -> HttpResponseBase:
        form = WhyForm(request.GET or None)
        return self.render(
            request,
            "why/page.html",
            title=_("Why here?"),
            form=form,
            asked=[{"entry": each, "why": _why_query(each), "add": _add_url(each)} for each in unmatched_slots()],
            may_add=self.has_add_permission(request),
            findings=[
                {"scope": _link(each.scope), "text": each.text, "other": each.other and _link(each.other)}
                for each in overlaps()
            ],
            **(_answer(form.cleaned_data) if form.is_valid() else {}),
        )

    def locations_view(self, request: HttpRequest) -> HttpResponseBase:
        """The test of a location pattern. The form of a scope reads it as JSON while the pattern is typed."""
        asked = request.POST if request.method == "POST" else request.GET
        course, pattern = (asked.get(name, "").strip() for name in ("course_id", "location_regex"))
        test = try_pattern(request.user, course, pattern)
        if request.GET.get("format") == "json":
            return JsonResponse(test)
        return self.render(
            request,
            "aiworkflowscope/locations.html",
            title=_("Try the location pattern"),
            test={**test, "course": course, "pattern": pattern},
        )


def _answer(cleaned: dict[str, Any]) -> dict[str, Any]:
    diagnosis = diagnose(*(cleaned[name] for name in ("course", "location", "slot", "service", "person")))
    winner = diagnosis.explanation.winner
    return {
        "diagnosis": diagnosis,
        "winner": winner and _link(winner),
        "profile": winner and change_link(winner.profile, winner.profile.slug),
        "problems": [problem.labelled for problem in diagnosis.problems],
        "others": [
            {"scope": _link(each.scope), "profile": each.scope.profile.slug, "reasons": reason_texts(each)}
            for each in diagnosis.explanation.others
        ],
    }


def _link(scope: AIWorkflowScope) -> str:
    return change_link(scope, f"{scope_title(scope)} (#{scope.pk})")


def _why_query(entry: UnmatchedSlot) -> str:
    return urlencode({"slot": entry.slot, "service": entry.variant, "course": entry.course_id})


def _add_url(entry: UnmatchedSlot) -> str:
    values = {"ui_slot_selector_id": entry.slot, "service_variant": entry.variant, "course_id": entry.course_id}
    return f"{reverse('admin:openedx_ai_extensions_aiworkflowscope_add')}?{urlencode(values)}"


MAX_LOCATIONS = 3000  # the page shows all of them
CATEGORIES = {
    "chapter": gettext_lazy("Section"),
    "sequential": gettext_lazy("Subsection"),
    "vertical": gettext_lazy("Unit"),
}


def try_pattern(user: Person, course_id: str, pattern: str) -> dict[str, Any]:
    """Match a pattern as the resolution of a widget does, with the same time limit.

    Returns:
        The locations of the course that match, the others, a summary, and whether there is an error.
    """
    matching: list[dict[str, str]] = []
    others: list[dict[str, str]] = []
    try:
        locations = _locations(user, _course(course_id))
        if len(pattern) > MAX_LENGTH:
            raise ValidationError(_("A pattern has at most {count} characters.").format(count=MAX_LENGTH))
        validate_pattern(pattern)
        for location in locations:
            reason = mismatch(pattern, location["key"])
            if reason is NonMatchReason.TOO_SLOW:  # further locations would be as slow
                slow = _("The pattern takes too long at {key}. Such a pattern matches nothing.")
                raise ValidationError(slow.format(key=location["key"]))
            (others if reason else matching).append(location)
    except (ProcessorError, ValidationError) as error:
        summary = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        return {"error": True, "summary": summary, "matching": [], "others": []}
    summary = _("The pattern matches {count} of {total} locations.")
    summary = summary.format(count=len(matching), total=len(locations))
    return {"error": False, "summary": summary, "matching": matching, "others": others}


def _course(text: str) -> CourseKey:
    # The form for new scopes takes several courses, one per line; the first one is used.
    first = next((line for line in text.splitlines() if line.strip()), "")
    key = CourseKeyFormField(required=False).to_python(first)
    if key is None:
        raise ValidationError(_("Enter the course in which to try the pattern."))
    return key


def _locations(user: Person, course_key: CourseKey) -> list[dict[str, str]]:
    found = list(_walk(get_platform().course_outline(user, course_key)))[:MAX_LOCATIONS]
    if not found:
        raise ProcessorError(_("There is nothing in this course that you can see."))
    return found


def _walk(nodes: Sequence[OutlineNode]) -> Iterator[dict[str, str]]:
    for node in nodes:
        category = str(CATEGORIES.get(node.category, node.category))
        yield {"key": str(node.usage_key), "category": category, "name": node.display_name}
        yield from _walk(node.children)
