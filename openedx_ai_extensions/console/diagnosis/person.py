"""May this person use AI at a place, now, and what stops it. Nothing is written, reserved or counted."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.access import may_see
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import LLMConfigError, ProcessorError, QuotaExceeded
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.policy import Guard, RefusalReason
from openedx_ai_extensions.policy.consent import has_accepted, terms_for
from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from openedx_ai_extensions.workflows.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.orchestrators.registry import is_available_to


class About(enum.StrEnum):
    """What is checked."""

    SIGHT = "sight"
    USE = "use"
    RULES = "rules"
    CONSENT = "consent"
    LIMITS = "limits"


NAMES: dict[About, Promise] = {
    About.SIGHT: gettext_lazy("May the person see this place?"),
    About.USE: gettext_lazy("Is the workflow for this person?"),
    About.RULES: gettext_lazy("Switches, pauses and exams"),
    About.CONSENT: gettext_lazy("Consent"),
    About.LIMITS: gettext_lazy("Limits"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that may stand in the way.

    Attributes:
        about: what was looked at.
        stops: it does stand in the way.
        text: what was found, for whoever set it up.
        reason: in a word for machines: of a refusal, or the limit or rule that refuses; else empty.
    """

    about: About
    stops: bool
    text: str
    reason: str = ""

    @property
    def name(self) -> str:
        return str(NAMES[self.about])


@dataclass(frozen=True, slots=True)
class PersonLocation:
    """Where the person is, and which workflow would answer there."""

    course_key: CourseKey | None
    usage_key: UsageKey | None
    profile: AIWorkflowProfile | None


def checks(place: PersonLocation, user: Person | None) -> list[Check]:
    """All that may stand in the way; without a person, what stops everybody."""
    found = [] if user is None else [_sight(place, user)]
    is_usable = place.profile is not None and place.profile.is_usable
    if place.profile is not None and is_usable and user is not None:
        found.append(_use(place.profile, place, user))
    found.append(_rules(place, user))
    if place.profile is not None and is_usable:
        if user is not None:
            found.append(_consent(place.profile, user))
        found.append(_limits(place, place.profile, user))
    return found


def _sight(place: PersonLocation, user: Person) -> Check:
    try:
        sees = may_see(user, place.course_key, place.usage_key)
    except ProcessorError as error:
        return Check(About.SIGHT, True, str(error))
    if sees:
        return Check(About.SIGHT, False, _("Yes."))
    if not user.is_active:
        return Check(About.SIGHT, True, _("No: the account is not active."))
    return Check(
        About.SIGHT,
        True,
        _("No: there is no such place, or the platform does not show it to this person now."),
    )


def _use(profile: AIWorkflowProfile, place: PersonLocation, user: Person) -> Check:
    if is_available_to(profile, user, place.course_key):
        return Check(About.USE, False, _("Yes."))
    return Check(About.USE, True, _("No: what this workflow does is for others, such as the staff of a course."))


def _rules(place: PersonLocation, user: Person | None) -> Check:
    guard = Guard(user=user, course_id=place.course_key, location_id=place.usage_key, profile=place.profile)
    try:
        refusal = guard.refusal()
    except ProcessorError as error:
        return Check(About.RULES, True, str(error))
    if refusal is None:
        return Check(About.RULES, False, _("Nothing is switched off or paused here, and there is no exam."))
    reason = refusal.extra["reason"]
    words = {
        RefusalReason.PAUSED: _("AI is switched off or paused here"),
        RefusalReason.QUIET_HOURS: _("There are quiet hours now"),
        RefusalReason.EXAM: _("This is an exam, or the person sits one"),
    }
    text = _("{what}, says {by}. People read: “{message}”").format(
        what=words[RefusalReason(reason)], by=_by(refusal.refused_by), message=refusal
    )
    return Check(About.RULES, True, text, reason)


def _by(name: str) -> str:
    kind, _slash, number = name.partition("/")
    if kind == "pause":
        return _("AI pause number {number}").format(number=number)
    if kind == "setting":
        return _("the setting AI_EXTENSIONS_ENABLED")
    return _("the rule about exams")


def _consent(profile: AIWorkflowProfile, user: Person) -> Check:
    terms = terms_for(profile)
    if terms is None:
        return Check(About.CONSENT, False, _("There is no notice to accept."))
    if has_accepted(user, terms):
        return Check(About.CONSENT, False, _("The person has accepted the notice as it is now."))
    return Check(
        About.CONSENT,
        True,
        _("The person has not accepted the notice (version {number}) as it is now.").format(number=terms.notice.number),
        "consent_required",
    )


def _limits(place: PersonLocation, profile: AIWorkflowProfile, user: Person | None) -> Check:
    run = Run(
        user=user,
        course_id=place.course_key,
        location_id=place.usage_key,
        profile_id=profile.pk,
        profile_slug=profile.slug,
    )
    try:
        run.require_quota(_provider(profile))
    except QuotaExceeded as error:
        text = _("A limit is used up: {limit}. People read: “{message}”").format(limit=error.refused_by, message=error)
        return Check(About.LIMITS, True, text, error.refused_by)
    return Check(About.LIMITS, False, _("There is something left of every limit that holds here."))


def _provider(profile: AIWorkflowProfile) -> str | None:
    try:
        return find_provider(LLMProcessor(profile.processor_config).provider).name
    except LLMConfigError:
        return None
