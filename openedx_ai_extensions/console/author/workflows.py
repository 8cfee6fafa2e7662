"""What runs in a course, slot by slot, and the switch that turns a workflow off there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from openedx_ai_extensions.console.author.page import CoursePage, description_of, name_of
from openedx_ai_extensions.console.author.places import ScopeUnits, Unit, units_of
from openedx_ai_extensions.console.author.prompts import prompts_of
from openedx_ai_extensions.console.author.workflow_status import WorkflowStatus, status_of
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.policy.audit_log import record
from openedx_ai_extensions.policy.pauses import all_pauses, switched_off, turn_off, turn_on
from openedx_ai_extensions.workflows.resolution import ORDER

MOST_LISTED = 40  # units of one entry
ON, OFF = "on", "off"


@dataclass(frozen=True, slots=True)
class WorkflowEntry:
    """A workflow in a slot.

    Attributes:
        units: in which it answers; None when nobody can tell in time.
        total: how many units the course has.
        is_default: it answers where no other workflow of the slot does.
        switch_url: where to turn it on or off.
    """

    scope: AIWorkflowScope
    units: Sequence[Unit] | None
    total: int
    is_default: bool
    status: WorkflowStatus
    prompts: Sequence[PromptTemplate]
    switch_url: str

    @property
    def profile(self) -> AIWorkflowProfile:
        return self.scope.profile

    @property
    def name(self) -> str:
        return name_of(self.profile)

    @property
    def description(self) -> str:
        return description_of(self.profile)

    @property
    def where(self) -> str:
        if self.units is None:
            return _("Where its pattern matches; that takes too long to find out.")
        if self.is_default and len(self.units) == self.total:
            return _("In the whole course.")
        if self.is_default:
            return _("In the whole course, but where another workflow of this slot goes before it.")
        if self.scope.location_regex:
            text = ngettext("In {count} of {total} unit.", "In {count} of {total} units.", self.total)
            return text.format(count=len(self.units), total=self.total)
        return _("Nowhere: another workflow of this slot goes before it.")

    @property
    def listed(self) -> Sequence[Unit]:
        """The units by name, where they are not simply all."""
        return () if self.is_default else (self.units or ())[:MOST_LISTED]

    @property
    def left_out(self) -> int:
        return 0 if self.is_default else max(len(self.units or ()) - MOST_LISTED, 0)

    @property
    def link(self) -> str:
        """A unit where a learner meets it; empty when there is none."""
        return self.units[0].link if self.units and self.scope.service_variant == "lms" else ""


class WorkflowsPage(CoursePage):
    """What runs in this course."""

    title = gettext_lazy("AI workflows in this course")
    place = "workflows"
    template_name = "workflows.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        entries = self._entries(self.profiles())
        slots = [
            {"slot": slot, "entries": list(of_slot)}
            for slot, of_slot in groupby(entries, key=lambda entry: entry.scope.ui_slot_selector_id)
        ]
        return self.answer({"slots": slots})

    def _entries(self, profiles: Sequence[AIWorkflowProfile]) -> list[WorkflowEntry]:
        """By slot and service, and within these in the order in which they are asked."""
        scopes: defaultdict[tuple[str, str], list[AIWorkflowScope]] = defaultdict(list)
        for scope in _ordered(profiles):
            if scope.ui_slot_selector_id:  # without one, no widget finds it
                scopes[scope.ui_slot_selector_id, scope.service_variant].append(scope)
        switches, prompts = switched_off(self.course_key), prompts_of(profiles)
        pauses = all_pauses()
        statuses = {
            profile.pk: status_of(profile, self.course_key, switches.get(profile.pk), pauses) for profile in profiles
        }
        places = ScopeUnits(units_of(self.user, self.course_key) if scopes else ())
        entries: list[WorkflowEntry] = []
        for (_slot, _variant), of_slot in sorted(scopes.items(), key=lambda item: (item[0][0], item[0][1] != "lms")):
            units: Mapping[int, Any] = places.shared_out(of_slot)
            default = next((scope for scope in of_slot if not scope.location_regex), None)
            entries += [
                WorkflowEntry(
                    scope=scope,
                    units=units[scope.pk],
                    total=len(places.units),
                    is_default=scope is default,
                    status=statuses[scope.profile_id],
                    prompts=prompts[scope.profile_id],
                    switch_url=self.url("switch", pk=scope.profile_id),
                )
                for scope in of_slot
            ]
        return entries


def _ordered(profiles: Sequence[AIWorkflowProfile]) -> list[AIWorkflowScope]:
    """The scopes that led to these profiles, the winner first."""
    scopes = [scope for profile in profiles for scope in vars(profile)["matched_scopes"]]
    return sorted(scopes, key=lambda scope: tuple(-getattr(scope, name) for name in ORDER))


class SwitchView(CoursePage):
    """Turn a workflow off in this course, or on again."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        profile, to = self.profile(pk), request.POST.get("to")
        if to == OFF:
            record(self.user, turn_off(self.user, self.course_key, profile), _("Turned off by course staff."))
            text = _("“{name}” is turned off in this course.")
        elif to == ON:
            for pause in turn_on(self.user, self.course_key, profile):
                record(self.user, pause, _("Turned on by course staff."))
            text = _("“{name}” is no longer turned off by this course.")
        else:
            return HttpResponseBadRequest(_("Say on or off."), content_type="text/plain; charset=utf-8")
        messages.success(request, text.format(name=name_of(profile)))
        return HttpResponseRedirect(self.url("workflows"))
