"""How full limits are, for those who set them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.ledger.limits import Limit, LimitKind, Limits, Rule
from openedx_ai_extensions.ledger.periods import begins, ends
from openedx_ai_extensions.ledger.quota import amount
from openedx_ai_extensions.ledger.subjects import Subject
from openedx_ai_extensions.models import AILimit, AIUsageTotal, AIWorkflowProfile

Per = AILimit.Per
FULLEST = 3
KINDS: Mapping[str, str] = {LimitKind.REQUESTS: "requests", LimitKind.TOKENS: "tokens", LimitKind.MONEY: "micros"}


@dataclass(frozen=True, slots=True)
class Fill:
    """How much of one kind of a limit is used.

    Attributes:
        whose: of what; empty where the limit says it.
        text: such as ``34 of 100 requests (34 %)``.
        percent: of the limit, 100 at most; for a meter.
    """

    whose: str
    text: str
    percent: int


def fills(rules: Iterable[Rule]) -> list[list[Fill]]:
    """Of each rule, how full it is: for its subject, or for the fullest ones where it holds for each of many."""
    now = timezone.now()
    limits = [list(_limits(rule, now)) for rule in rules]
    everything = Limits(limit for some in limits for limit in some)
    used = counters.limit_usage(everything, now) if everything else None
    return [[fill for limit in some for fill in _fills(limit, used, len(some) > 1)] for some in limits]


def _fills(limit: Limit, used: Any, is_named: bool) -> Iterator[Fill]:
    amounts = used.of(limit)
    for kind, allowed in limit.allowed.items():
        percent = amounts.of(kind) * 100 // allowed if allowed else 100
        text = _("{used} of {allowed} ({percent} %)").format(
            used=_shown(kind, amounts.of(kind)), allowed=_with_unit(kind, allowed), percent=percent
        )
        yield Fill(_whose(limit.subject), text, min(percent, 100))


def _shown(kind: LimitKind, number: int) -> str:
    return amount(number) if kind == LimitKind.MONEY else f"{number:,}".replace(",", " ")


def _with_unit(kind: LimitKind, number: int) -> str:
    if kind == LimitKind.MONEY:
        return amount(number)
    unit = _("requests") if kind == LimitKind.REQUESTS else _("tokens")
    return f"{_shown(kind, number)} {unit}"


def _whose(subject: Subject) -> str:
    if subject.profile_id and not subject.user_id:
        return AIWorkflowProfile.objects.filter(pk=subject.profile_id).values_list("slug", flat=True).first() or ""
    return subject.course_id or subject.provider or ""


def _limits(rule: Rule, now: datetime) -> Iterator[Limit]:
    for subject in _subjects(rule, now):
        yield Limit(rule.per, rule.period, subject, rule.allowed, begins(rule.period, now), ends(rule.period, now))


def _subjects(rule: Rule, now: datetime) -> Iterable[Subject]:
    profile_id = None
    if rule.profile_slug:
        profile_id = AIWorkflowProfile.objects.filter(slug=rule.profile_slug).values_list("pk", flat=True).first()
    place = Subject(rule.user_id, rule.course_id, profile_id, rule.provider)
    if rule.per == Per.PERSON and rule.user_id is None:
        return []  # each person has a count of their own
    subject = rule.subject(place)
    return [subject] if subject is not None else _fullest(rule, now)


def _fullest(rule: Rule, now: datetime) -> Iterator[Subject]:
    """Of each of many, those that have used most, as far as it is in the totals."""
    kind = next(iter(rule.allowed), LimitKind.REQUESTS)
    start, end = f"{rule.per}:", f"|{rule.period}"
    found = AIUsageTotal.objects.filter(
        key__startswith=start, key__endswith=end, starts_at=begins(rule.period, now)
    ).order_by(f"-{KINDS[kind]}")
    for key in found.values_list("key", flat=True)[:FULLEST]:
        value = key[len(start) : -len(end)]
        match rule.per:
            case Per.COURSE:
                yield Subject(course_id=value)
            case Per.PROFILE:
                yield Subject(profile_id=int(value))
            case Per.PROVIDER:
                yield Subject(provider=value)
