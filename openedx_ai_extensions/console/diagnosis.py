"""Why a widget gets its answer at a location: the scope, its profile, and what stops it. Nothing is written.

Which scope answers, and why the others do not, uses the criteria, the order and the pattern matching of the resolution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Case, F, IntegerField, Q, QuerySet, TextChoices, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.hooks import Problem
from openedx_ai_extensions.edxapp.access import may_see
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import LLMConfigError, ProcessorError, QuotaExceeded
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.policy import Guard, RefusalReason
from openedx_ai_extensions.policy.consent import has_accepted, terms_for
from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from openedx_ai_extensions.workflows.models import (
    AIWorkflowProfile,
    AIWorkflowScope,
    first_match,
    load_candidates,
    own_copy,
)
from openedx_ai_extensions.workflows.orchestrators import is_available_to
from openedx_ai_extensions.workflows.resolution import ORDER, NonMatchReason, criteria, in_order, is_exact, mismatch
from openedx_ai_extensions.workflows.unmatched_slots import UnmatchedSlot, unmatched

MAX_UNMATCHED_SLOTS = 50
MAX_SCOPES = 100  # explained scopes; those with the fewest unmet conditions come first
REASON_BY_ORDER = {"specificity_index": NonMatchReason.LESS_SPECIFIC, "id": NonMatchReason.OLDER}

NON_MATCH_TEXTS: Mapping[NonMatchReason, Promise] = {
    NonMatchReason.NOT_ENABLED: gettext_lazy("It is not enabled."),
    NonMatchReason.OTHER_SERVICE: gettext_lazy("It is for the other service: {service}."),
    NonMatchReason.OTHER_SLOT: gettext_lazy("It is for another slot: {slot}."),
    NonMatchReason.OTHER_COURSE: gettext_lazy("It is for another course: {course}."),
    NonMatchReason.ONLY_IN_COURSES: gettext_lazy("It answers only in courses, and the widget gives no course."),
    NonMatchReason.NO_MATCH: gettext_lazy("Its pattern does not match this location: {pattern}"),
    NonMatchReason.NO_LOCATION: gettext_lazy("It has a pattern, but the widget gives no location: {pattern}"),
    NonMatchReason.TOO_SLOW: gettext_lazy("Its pattern takes too long, so it matches nothing: {pattern}"),
    NonMatchReason.INVALID: gettext_lazy("Its pattern is not valid, so it matches nothing: {pattern}"),
    NonMatchReason.LESS_SPECIFIC: gettext_lazy("It matches, but is less specific than the scope that answers."),
    NonMatchReason.OLDER: gettext_lazy("It matches and is equally specific, but is older than the scope that answers."),
}


class Outcome(TextChoices):
    """What the widget does."""

    NO_SCOPE = "no_scope", gettext_lazy("The widget is hidden: no scope answers here.")
    BROKEN = "broken", gettext_lazy("The widget is hidden: a scope answers here, but its profile is broken.")
    NOT_SEEN = "not_seen", gettext_lazy("The widget is hidden: this person may not see this location.")
    NOT_FOR_PERSON = "not_for_person", gettext_lazy("The widget is hidden: this workflow is not for this person.")
    OFF = "off", gettext_lazy("The widget is hidden: the site's rules do not allow AI here.")
    QUIET = "quiet", gettext_lazy("The widget is visible, and says that these are quiet hours.")
    NO_CONSENT = "no_consent", gettext_lazy("The widget is visible, and asks for consent before it is used.")
    USED_UP = "used_up", gettext_lazy("The widget is visible, but refuses the next request: a limit is reached.")
    READY = "ready", gettext_lazy("The widget is visible and answers.")


class CheckSubject(TextChoices):
    """What is checked."""

    ACCESS = "sight", gettext_lazy("May the person see this location?")
    AVAILABILITY = "use", gettext_lazy("Is the workflow for this person?")
    RULES = "rules", gettext_lazy("Switches, pauses and exams")
    CONSENT = "consent", gettext_lazy("Consent")
    LIMITS = "limits", gettext_lazy("Limits")


OUTCOMES = {
    CheckSubject.ACCESS: Outcome.NOT_SEEN,
    CheckSubject.AVAILABILITY: Outcome.NOT_FOR_PERSON,
    CheckSubject.RULES: Outcome.OFF,
    CheckSubject.CONSENT: Outcome.NO_CONSENT,
    CheckSubject.LIMITS: Outcome.USED_UP,
}


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of an answer.

    Attributes:
        about: what was checked.
        stops: whether it prevents the answer.
        text: what was found.
        reason: for programs: the reason of a refusal, or the limit that is reached; else empty.
    """

    about: CheckSubject
    stops: bool
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a widget gets at a location, and why.

    Attributes:
        problems: of the profile that answers, errors and warnings.
        checks: conditions of an answer; empty if ``is_elsewhere``.
        is_elsewhere: the question is about the other service, whose platform and rules this process does not know.
    """

    explanation: Explanation
    outcome: Outcome
    problems: Sequence[Problem]
    checks: Sequence[Check]
    is_elsewhere: bool

    @property
    def is_usable(self) -> bool:
        winner = self.explanation.winner
        return winner is not None and winner.profile.is_usable


def diagnose(
    course_key: CourseKey | None, usage_key: UsageKey | None, slot: str, variant: str, user: Person | None = None
) -> Diagnosis:
    """Explain what a widget gets.

    Args:
        course_key: None outside of courses.
        usage_key: None when the widget gives no location; else its course replaces ``course_key``.
        slot: of the widget.
        variant: ``lms`` or ``cms``.
        user: None to check only what is the same for all people.
    """
    course_key = usage_key.course_key if usage_key else course_key
    location_id = str(usage_key) if usage_key else None
    explanation = explain(str(course_key or ""), location_id, slot, variant)
    profile = explanation.winner.profile if explanation.winner else None
    is_elsewhere = variant != conf.service_variant()
    checks = [] if is_elsewhere else list(_checks(course_key, usage_key, profile, user))
    return Diagnosis(
        explanation=explanation,
        outcome=_outcome(profile, checks),
        problems=profile.problems() if profile else (),
        checks=checks,
        is_elsewhere=is_elsewhere,
    )


def _outcome(profile: AIWorkflowProfile | None, checks: Sequence[Check]) -> Outcome:
    """The first check that stops a request decides."""
    if profile is None:
        return Outcome.NO_SCOPE
    if not profile.is_usable:
        return Outcome.BROKEN
    first = next((check for check in checks if check.stops), None)
    if first is None:
        return Outcome.READY
    return Outcome.QUIET if first.reason == RefusalReason.QUIET_HOURS else OUTCOMES[first.about]


def _checks(
    course_key: CourseKey | None, usage_key: UsageKey | None, profile: AIWorkflowProfile | None, user: Person | None
) -> Iterator[Check]:
    """All checks, in the order of a request."""
    usable = profile if profile is not None and profile.is_usable else None
    if user is not None:
        yield _access(course_key, usage_key, user)
        if usable is not None:
            is_available = is_available_to(usable, user, course_key)
            text = _("Yes.") if is_available else _("No: this workflow is for others, such as course staff.")
            yield Check(CheckSubject.AVAILABILITY, not is_available, text)
    yield _rules(Guard(user=user, course_id=course_key, location_id=usage_key, profile=profile))
    if usable is None:
        return
    if user is not None:
        yield _consent(usable, user)
    run = Run(
        user=user, course_id=course_key, location_id=usage_key, profile_id=usable.pk, profile_slug=usable.slug
    )  # fmt: skip
    yield _limits(run, usable)


def _access(course_key: CourseKey | None, usage_key: UsageKey | None, user: Person) -> Check:
    try:
        is_visible = may_see(user, course_key, usage_key)
    except ProcessorError as error:
        return Check(CheckSubject.ACCESS, True, str(error))
    if is_visible:
        return Check(CheckSubject.ACCESS, False, _("Yes."))
    if not user.is_active:
        return Check(CheckSubject.ACCESS, True, _("No: the account is not active."))
    text = _("No: there is no such location, or the platform does not show it to this person now.")
    return Check(CheckSubject.ACCESS, True, text)


def _rules(guard: Guard) -> Check:
    try:
        refusal = guard.refusal()
    except ProcessorError as error:
        return Check(CheckSubject.RULES, True, str(error))
    if refusal is None:
        return Check(CheckSubject.RULES, False, _("AI is not switched off or paused here, and there is no exam."))
    reason = refusal.extra["reason"]
    what = {
        RefusalReason.PAUSED: _("AI is switched off or paused here"),
        RefusalReason.QUIET_HOURS: _("These are quiet hours"),
        RefusalReason.EXAM: _("This is an exam, or the person is taking one"),
    }[RefusalReason(reason)]
    text = _("{what}. Source: {rule}. People read: “{message}”")
    return Check(
        CheckSubject.RULES, True, text.format(what=what, rule=_rule(refusal.refused_by), message=refusal), reason
    )


def _rule(refused_by: str) -> str:
    kind, _slash, number = refused_by.partition("/")
    if kind == "pause":
        return _("AI pause {number}").format(number=number)
    if kind == "setting":
        return _("the setting AI_EXTENSIONS_ENABLED")
    return _("the rule about exams")


def _consent(profile: AIWorkflowProfile, user: Person) -> Check:
    terms = terms_for(profile)
    if terms is None:
        return Check(CheckSubject.CONSENT, False, _("There is no notice to accept."))
    if has_accepted(user, terms):
        return Check(CheckSubject.CONSENT, False, _("The person has accepted the current notice."))
    text = _("The person has not accepted the current notice (version {number}).").format(number=terms.notice.number)
    return Check(CheckSubject.CONSENT, True, text, "consent_required")


def _limits(run: Run, profile: AIWorkflowProfile) -> Check:
    try:
        provider = find_provider(LLMProcessor(profile.processor_config).provider).name
    except LLMConfigError:
        provider = None
    try:
        run.require_quota(provider)
    except QuotaExceeded as error:
        text = _("A limit is reached: {limit}. People read: “{message}”").format(limit=error.refused_by, message=error)
        return Check(CheckSubject.LIMITS, True, text, error.refused_by)
    return Check(CheckSubject.LIMITS, False, _("No limit that applies here is reached."))


def scope_title(scope: AIWorkflowScope) -> str:
    """A scope in one line, for links and messages."""
    parts = [
        str(scope.course_id) if scope.course_id else _("every course"),
        scope.ui_slot_selector_id or _("no slot"),
        scope.get_service_variant_display(),
        _("also outside of courses") if scope.outside_courses else "",
        scope.location_regex or "",
        "" if scope.enabled else _("not enabled"),
    ]
    return " · ".join(filter(None, parts))


def reason_texts(explained: ScopeExplanation) -> list[str]:
    """Why this scope does not answer."""
    scope = explained.scope
    return [
        str(NON_MATCH_TEXTS[reason]).format(
            service=scope.get_service_variant_display(),
            slot=scope.ui_slot_selector_id or _("none"),
            course=scope.course_id,
            pattern=scope.location_regex,
        )
        for reason in explained.reasons
    ]


def unmatched_slots() -> list[UnmatchedSlot]:
    """The slots that widgets requested recently, and that still no scope answers everywhere in their course."""
    return [entry for entry in unmatched()[:MAX_UNMATCHED_SLOTS] if not _is_served(entry)]


def _is_served(entry: UnmatchedSlot) -> bool:
    found = first_match(load_candidates(entry.course_id, entry.slot, entry.variant), None)
    return found is not None and found.profile.is_usable


@dataclass(frozen=True, slots=True)
class ScopeExplanation:
    """A scope, and why it does not answer: its unmet conditions, or the reason why the winner takes precedence."""

    scope: AIWorkflowScope
    reasons: tuple[NonMatchReason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result of a resolution.

    Attributes:
        winner: the scope that answers, or None.
        others: the other scopes, the nearest first; at most ``MAX_SCOPES``.
        omitted: the number of further scopes.
    """

    winner: AIWorkflowScope | None
    others: Sequence[ScopeExplanation]
    omitted: int


def explain(course_id: str, location_id: str | None, slot: str, variant: str) -> Explanation:
    """Resolve as a request does, without the caches, and explain all scopes. A location always has its course."""
    # As for a request: without a slot no scope answers.
    found = first_match(load_candidates(course_id, slot, variant) if slot else (), location_id)
    winner = None if found is None else own_copy(found, location_id)
    nearest = _nearest_first(criteria(course_id, slot, variant))
    total = nearest.count()
    scopes = [scope for scope in nearest[: MAX_SCOPES + 1] if winner is None or scope.pk != winner.pk][:MAX_SCOPES]
    others = [
        ScopeExplanation(scope, _unmet(scope, course_id, location_id, slot) or _precedence(scope, winner))
        for scope in scopes
    ]
    return Explanation(winner, others, total - len(others) - (winner is not None))


def _nearest_first(conditions: dict[NonMatchReason, Q]) -> QuerySet[AIWorkflowScope]:
    """All scopes, annotated with their unmet conditions as ``misses_<reason>``."""
    misses = {
        f"misses_{name}": Case(When(condition, then=Value(0)), default=Value(1), output_field=IntegerField())
        for name, condition in conditions.items()
    }
    total = sum(map(F, misses), start=Value(0))
    scopes = in_order(AIWorkflowScope.objects.annotate(**misses))
    return scopes.order_by(total, *(f"-{name}" for name in ORDER))


def _unmet(scope: AIWorkflowScope, course_id: str, location_id: str | None, slot: str) -> tuple[NonMatchReason, ...]:
    missed = {reason for reason in NonMatchReason if getattr(scope, f"misses_{reason}", False)}
    missed |= set() if is_exact(scope, course_id, None) else {NonMatchReason.OTHER_COURSE}
    missed |= set() if scope.ui_slot_selector_id == slot else {NonMatchReason.OTHER_SLOT}
    # A scope of another course is not compared with the location.
    if NonMatchReason.OTHER_COURSE not in missed and (reason := mismatch(scope.location_regex, location_id)):
        missed.add(reason)
    return tuple(reason for reason in NonMatchReason if reason in missed)


def _precedence(scope: AIWorkflowScope, winner: AIWorkflowScope | None) -> tuple[NonMatchReason, ...]:
    reasons = (
        reason for name, reason in REASON_BY_ORDER.items() if getattr(scope, name) != getattr(winner, name, None)
    )
    return () if winner is None else (next(reasons),)
