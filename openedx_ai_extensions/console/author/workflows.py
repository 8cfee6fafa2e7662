"""What runs in a course, slot by slot, and the switch that turns a workflow off there."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.console.author.page import CoursePage, description_of, name_of
from openedx_ai_extensions.console.author.places import ScopeUnits, Unit, units_of
from openedx_ai_extensions.console.author.prompts import prompts_of
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.ledger.quota import readable_time
from openedx_ai_extensions.models import AIPause, AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.policy.audit_log import record
from openedx_ai_extensions.policy.pauses import Pause, all_pauses, course_wide_pauses, switched_off, turn_off, turn_on
from openedx_ai_extensions.workflows.resolution import ORDER

MOST_LISTED = 40  # units of one entry
ON, OFF = "on", "off"


class WorkflowState(enum.StrEnum):
    """In a word."""

    ON = "on"
    PARTLY = "partly"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class WorkflowStatus:
    """How a workflow stands in a course.

    Attributes:
        reasons: why it is off, or off at some places; in words.
        switch: with which the course's staff turned it off; None when they did not.
    """

    state: WorkflowState
    reasons: Sequence[str]
    switch: AIPause | None

    @property
    def word(self) -> str:
        return {WorkflowState.ON: _("On"), WorkflowState.PARTLY: _("Off in some places"), WorkflowState.OFF: _("Off")}[
            self.state
        ]


def status_of(
    profile: AIWorkflowProfile, course_key: CourseKey, switch: AIPause | None, pauses: Sequence[Pause]
) -> WorkflowStatus:
    """As a request of nobody in particular finds it.

    Args:
        switch: with which the course's staff turned it off, if they did.
        pauses: all that there are.
    """
    now = timezone.now()
    reasons = [] if profile.is_usable else [_("Its configuration is broken. The site's operators have to mend it.")]
    if not conf.get("AI_EXTENSIONS_ENABLED"):
        reasons.append(_("AI is switched off on the whole site."))
    reasons += [_reason(pause, switch, now) for pause in course_wide_pauses(pauses, course_key, profile.pk, now)]
    if reasons:
        return WorkflowStatus(WorkflowState.OFF, reasons, switch)
    at_places = [
        _("Paused for learners at some places by the site's operators: where “{pattern}” matches.").format(
            pattern=pause.location_regex
        )
        for pause in pauses
        if pause.location_regex and pause.applies_to(course_key, profile.pk) and pause.is_active_at(now)
    ]
    return WorkflowStatus(WorkflowState.PARTLY if at_places else WorkflowState.ON, at_places, switch)


def _reason(pause: Pause, switch: AIPause | None, now: datetime) -> str:
    if pause.is_of_course_staff:
        return _switched(switch) if switch else _("Turned off for this course by its staff.")
    text = _what(pause)
    until = pause.end_after(now)
    if until is not None:
        ends = _("It ends {time}.").format(time=readable_time(until))
        text = f"{text} {ends}"
    if pause.message:
        said = _("People read: “{message}”").format(message=masked_text(pause.message, configured_secrets()))
        text = f"{text} {said}"
    return text


def _what(pause: Pause) -> str:
    if pause.has_hours:
        return _("There are quiet hours now.")
    if pause.profile_id is not None:
        return _("The site's operators have paused this workflow.")
    if pause.course_id is not None:
        return _("The site's operators have paused all AI in this course.")
    return _("The site's operators have paused all AI on the site.")


def _switched(switch: AIPause) -> str:
    when = formats.date_format(timezone.localtime(switch.switched_at), "DATETIME_FORMAT") if switch.switched_at else ""
    if switch.switched_by is None:
        return _("Turned off for this course by its staff: {time}").format(time=when)
    return _("Turned off for this course by {name}: {time}").format(name=switch.switched_by.get_username(), time=when)


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
