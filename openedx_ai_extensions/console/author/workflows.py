"""The workflows of a course by slot, and the switch that turns a workflow off in a course."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.console.author.page import CoursePage, Unit, description_of, name_of, units_of
from openedx_ai_extensions.console.author.prompts import prompts_of
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.messages import readable_time
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.models import AIPause, AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.policy.audit_log import record
from openedx_ai_extensions.policy.pauses import Pause, all_pauses, course_wide_pauses, switched_off, turn_off, turn_on
from openedx_ai_extensions.workflows.resolution import ORDER, NonMatchReason, mismatch

MAX_LISTED_UNITS = 40  # of one workflow
PATTERN_SECONDS = 1.0  # for all patterns of a page


class WorkflowState(TextChoices):
    ON = "on", gettext_lazy("On")
    PARTLY = "partly", gettext_lazy("Off at some locations")
    OFF = "off", gettext_lazy("Off")


@dataclass(frozen=True, slots=True)
class WorkflowStatus:
    """Whether a workflow is on in a course.

    Attributes:
        reasons: why it is off, in words.
        switch: the pause by which the course's staff turned it off; None if they did not.
    """

    state: WorkflowState
    reasons: Sequence[str]
    switch: AIPause | None


def status_of(
    profile: AIWorkflowProfile, course_key: CourseKey, switch: AIPause | None, pauses: Sequence[Pause]
) -> WorkflowStatus:
    """The status of a workflow, without the rules that depend on a person.

    Args:
        switch: the pause by which the course's staff turned it off, if they did.
        pauses: all pauses of the site.
    """
    now = timezone.now()
    reasons = [] if profile.is_usable else [_("Its configuration is broken. The site's operators have to correct it.")]
    if not conf.get("AI_EXTENSIONS_ENABLED"):
        reasons.append(_("AI is switched off on the whole site."))
    reasons += [_reason(pause, switch, now) for pause in course_wide_pauses(pauses, course_key, profile.pk, now)]
    if reasons:
        return WorkflowStatus(WorkflowState.OFF, reasons, switch)
    text = _("The site's operators have paused it for learners at the locations that match “{pattern}”.")
    at_locations = [
        text.format(pattern=pause.location_regex)
        for pause in pauses
        if pause.location_regex and pause.applies_to(course_key, profile.pk) and pause.is_active_at(now)
    ]
    return WorkflowStatus(WorkflowState.PARTLY if at_locations else WorkflowState.ON, at_locations, switch)


def _reason(pause: Pause, switch: AIPause | None, now: datetime) -> str:
    if pause.is_of_course_staff:
        return _turned_off_by(switch) if switch else _("Turned off for this course by its staff.")
    if pause.has_hours:
        parts = [_("These are quiet hours.")]
    elif pause.profile_id is not None:
        parts = [_("The site's operators have paused this workflow.")]
    elif pause.course_id is not None:
        parts = [_("The site's operators have paused all AI in this course.")]
    else:
        parts = [_("The site's operators have paused all AI on the site.")]
    until = pause.end_after(now)
    if until is not None:
        parts.append(_("It ends {time}.").format(time=readable_time(until)))
    if pause.message:
        shown = masked_text(pause.message, configured_secrets())
        parts.append(_("People read: “{message}”").format(message=shown))
    return " ".join(parts)


def _turned_off_by(switch: AIPause) -> str:
    when = formats.date_format(timezone.localtime(switch.switched_at), "DATETIME_FORMAT") if switch.switched_at else ""
    if switch.switched_by is None:
        return _("Turned off for this course by its staff: {time}").format(time=when)
    return _("Turned off for this course by {name}: {time}").format(name=switch.switched_by.get_username(), time=when)


class UnitMatcher:
    """Finds out which scope answers in which unit; compares each pattern only once."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = units
        self._matches: dict[str, Set[UsageKey] | None] = {"": {unit.key for unit in units}}
        self._deadline = time.monotonic() + PATTERN_SECONDS

    def units_by_scope(self, scopes: Sequence[AIWorkflowScope]) -> Mapping[int, list[Unit] | None]:
        """The units in which each scope answers, by its id; None if its pattern takes too long.

        Args:
            scopes: of one slot and service, in the order of resolution.
        """
        remaining = list(self.units)
        found: dict[int, list[Unit] | None] = {}
        for scope in scopes:
            pattern = scope.location_regex or ""
            if pattern not in self._matches:
                self._matches[pattern] = self._compare(pattern)
            matches = self._matches[pattern]
            found[scope.pk] = None if matches is None else [unit for unit in remaining if unit.key in matches]
            remaining = [unit for unit in remaining if unit.key not in (matches or ())]
        return found

    def _compare(self, pattern: str) -> Set[UsageKey] | None:
        matches = set()
        for unit in self.units:
            reason = mismatch(pattern, str(unit.key))
            if reason is NonMatchReason.TOO_SLOW or time.monotonic() > self._deadline:
                return None
            if reason is None:
                matches.add(unit.key)
        return matches


@dataclass(frozen=True, slots=True)
class WorkflowEntry:
    """A workflow in a slot.

    Attributes:
        units: in which it answers; None if that takes too long to find out.
        total: the number of units of the course.
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
    def name(self) -> str:
        return name_of(self.scope.profile)

    @property
    def description(self) -> str:
        return description_of(self.scope.profile)

    @property
    def where(self) -> str:
        if self.units is None:
            return _("At the locations that match its pattern. Finding them takes too long.")
        if self.is_default and len(self.units) == self.total:
            return _("In the whole course.")
        if self.is_default:
            return _("In the whole course, except where another workflow of this slot takes precedence.")
        if self.scope.location_regex:
            text = ngettext("In {count} of {total} unit.", "In {count} of {total} units.", self.total)
            return text.format(count=len(self.units), total=self.total)
        return _("Nowhere: another workflow of this slot takes precedence.")

    @property
    def listed(self) -> Sequence[Unit]:
        """The units to list by name; none for a default, which answers in most units."""
        return () if self.is_default else (self.units or ())[:MAX_LISTED_UNITS]

    @property
    def left_out(self) -> int:
        return 0 if self.is_default else max(len(self.units or ()) - MAX_LISTED_UNITS, 0)

    @property
    def link(self) -> str:
        """A unit where a learner finds it; empty if there is none."""
        return self.units[0].link if self.units and self.scope.service_variant == "lms" else ""


class WorkflowsPage(CoursePage):
    title = gettext_lazy("AI workflows in this course")
    menu_entry = "workflows"
    template_name = "workflows.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        entries = self._entries(self.profiles())
        slots = [
            {"slot": slot, "entries": list(of_slot)}
            for slot, of_slot in groupby(entries, key=lambda entry: entry.scope.ui_slot_selector_id)
        ]
        return self.render({"slots": slots})

    def _entries(self, profiles: Sequence[AIWorkflowProfile]) -> list[WorkflowEntry]:
        """By slot and service, and within these in the order of resolution."""
        scopes: defaultdict[tuple[str, str], list[AIWorkflowScope]] = defaultdict(list)
        for scope in _ordered(profiles):
            if scope.ui_slot_selector_id:  # without a slot, no widget finds it
                scopes[scope.ui_slot_selector_id, scope.service_variant].append(scope)
        switches, prompts = switched_off(self.course_key), prompts_of(profiles)
        pauses = all_pauses()
        statuses = {
            profile.pk: status_of(profile, self.course_key, switches.get(profile.pk), pauses) for profile in profiles
        }
        matcher = UnitMatcher(units_of(self.user, self.course_key) if scopes else ())
        entries: list[WorkflowEntry] = []
        for (_slot, _variant), of_slot in sorted(scopes.items(), key=lambda item: (item[0][0], item[0][1] != "lms")):
            units: Mapping[int, Any] = matcher.units_by_scope(of_slot)
            default = next((scope for scope in of_slot if not scope.location_regex), None)
            entries += [
                WorkflowEntry(
                    scope=scope,
                    units=units[scope.pk],
                    total=len(matcher.units),
                    is_default=scope is default,
                    status=statuses[scope.profile_id],
                    prompts=prompts[scope.profile_id],
                    switch_url=self.url("switch", pk=scope.profile_id),
                )
                for scope in of_slot
            ]
        return entries


def _ordered(profiles: Sequence[AIWorkflowProfile]) -> list[AIWorkflowScope]:
    """The scopes of these profiles, in the order of resolution."""
    scopes = [scope for profile in profiles for scope in vars(profile)["matched_scopes"]]
    return sorted(scopes, key=lambda scope: tuple(-getattr(scope, name) for name in ORDER))


class SwitchView(CoursePage):
    """Turns a workflow off in this course, or on again."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        profile, to = self.profile(pk), request.POST.get("to")
        if to == WorkflowState.OFF:
            record(self.user, turn_off(self.user, self.course_key, profile), _("Turned off by course staff."))
            text = _("“{name}” is turned off in this course.")
        elif to == WorkflowState.ON:
            for pause in turn_on(self.user, self.course_key, profile):
                record(self.user, pause, _("Turned on by course staff."))
            text = _("“{name}” is no longer turned off by this course.")
        else:
            return HttpResponseBadRequest(_("The value must be on or off."), content_type="text/plain; charset=utf-8")
        messages.success(request, text.format(name=name_of(profile)))
        return HttpResponseRedirect(self.url("workflows"))
