"""The limits that apply to a run, from the settings and from the admin, and the error for one that is exceeded."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from functools import cached_property, lru_cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.cache import cached_until_changed
from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.core.messages import joined
from openedx_ai_extensions.exceptions import QuotaExceeded
from openedx_ai_extensions.ledger.models import AILimit
from openedx_ai_extensions.ledger.periods import begins, ends
from openedx_ai_extensions.ledger.prices import MICRO

Per = AILimit.Per

# What was used up, by subject. Learners are not shown the budgets of a site or a course.
EXHAUSTED_MESSAGES: Mapping[str, str | Promise] = {
    Per.PERSON: gettext_lazy("You have used all of your AI requests for now."),
    Per.COURSE: gettext_lazy("This course has used all of its AI requests for now."),
    Per.PROFILE: gettext_lazy("This AI tool has used all of its requests for now."),
    Per.PROVIDER: gettext_lazy("The AI service has used all of its requests for now."),
    Per.SITE: gettext_lazy("This site has used all of its AI requests for now."),
}


class LimitKind(enum.StrEnum):
    """The resource that a limit restricts."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    MONEY = "money"  # in micro-units of the site's currency


@dataclass(frozen=True, slots=True)
class Amounts:
    """Amounts of each kind; money in micro-units."""

    requests: int = 0
    tokens: int = 0
    micros: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(self.requests + other.requests, self.tokens + other.tokens, self.micros + other.micros)

    def of(self, kind: LimitKind) -> int:
        amount: int = getattr(self, _FIELDS[kind])
        return amount


_FIELDS = {LimitKind.REQUESTS: "requests", LimitKind.TOKENS: "tokens", LimitKind.MONEY: "micros"}


@dataclass(frozen=True, slots=True)
class Subject:
    """A combination of person, course, profile and provider; as a filter, None matches any value."""

    user_id: int | None = None
    course_id: str | None = None
    profile_id: int | None = None
    provider: str | None = None

    @property
    def key(self) -> str:
        """The subject's part of the key of a total."""
        parts = [
            f"{name}:{value}"
            for name, value in (
                ("person", self.user_id),
                ("course", self.course_id),
                ("profile", self.profile_id),
                ("provider", self.provider),
            )
            if value is not None
        ]
        return "/".join(parts) or "site"

    def subjects(self) -> Iterator[Subject]:
        """All subjects that usage of this combination counts for."""
        yield Subject()
        if self.provider:
            yield Subject(provider=self.provider)
        if self.course_id:
            yield Subject(course_id=self.course_id)
        if self.profile_id:
            yield Subject(profile_id=self.profile_id)
        if self.user_id:
            yield Subject(user_id=self.user_id)
            if self.course_id:
                yield Subject(user_id=self.user_id, course_id=self.course_id)
            if self.profile_id:
                yield Subject(user_id=self.user_id, profile_id=self.profile_id)


@dataclass(frozen=True, slots=True)
class Rule:
    """A configured limit; None means no limit or no restriction."""

    per: str
    period: str
    allowed: Mapping[LimitKind, int]
    tier: str = ""
    user_id: int | None = None
    course_id: str | None = None
    profile_slug: str | None = None
    provider: str | None = None
    is_from_admin: bool = False

    @property
    def specificity(self) -> tuple[bool, bool, bool, bool]:
        is_narrow = bool(self.course_id or self.profile_slug or self.provider)
        return (self.user_id is not None, is_narrow, bool(self.tier), self.is_from_admin)

    def fits(self, place: Subject, profile_slug: str | None, *, is_staff: bool) -> bool:
        return (
            self.user_id in (None, place.user_id)
            and self.course_id in (None, place.course_id)
            and self.profile_slug in (None, profile_slug)
            and self.provider in (None, place.provider)
            and (not self.tier or is_staff)
        )

    def subject(self, place: Subject) -> Subject | None:
        """The subject whose usage counts, for a run of ``place``; None if ``place`` has no such subject."""
        match self.per:
            case Per.SITE:
                return Subject()
            case Per.PROVIDER:
                return Subject(provider=place.provider) if place.provider else None
            case Per.COURSE:
                return Subject(course_id=place.course_id) if place.course_id else None
            case Per.PROFILE:
                return Subject(profile_id=place.profile_id) if place.profile_id else None
        if place.user_id is None:
            return None
        return Subject(
            user_id=place.user_id,
            course_id=place.course_id if self.course_id else None,
            profile_id=place.profile_id if self.profile_slug else None,
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that applies to one run at this moment.

    Attributes:
        per: what has a limit of its own: a value of ``AILimit.Per``.
        subject: whose usage counts.
        allowed: the allowed amount of each limited kind; money in micro-units.
        starts_at: the start of the current period.
        resets_at: the start of the next period.
    """

    per: str
    period: str
    subject: Subject
    allowed: Mapping[LimitKind, int]
    starts_at: datetime
    resets_at: datetime

    @property
    def key(self) -> str:
        """The key of the total that the limit is compared with."""
        return total_key(self.subject, self.period)

    @property
    def breadth(self) -> int:
        """The order of limits: a person in a course comes before the person, the site comes last."""
        order = [Per.PERSON, Per.PROFILE, Per.COURSE, Per.PROVIDER, Per.SITE]
        is_narrowed = self.per == Per.PERSON and (self.subject.course_id or self.subject.profile_id)
        return 2 * order.index(Per(self.per)) - bool(is_narrowed)


class Limits(tuple[Limit, ...]):
    """The limits of a run. Shared by many runs and compared by identity, so that derived values can be cached."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    @cached_property
    def subjects(self) -> list[Subject]:
        """The distinct subjects of the limits."""
        return list(dict.fromkeys(limit.subject for limit in self))


@lru_cache(maxsize=1024)
def total_key(subject: Subject, period: str) -> str:
    return f"{subject.key}|{period}"


def limits_for(place: Subject, profile_slug: str | None, is_staff: Callable[[], bool], now: datetime) -> Limits:
    """The limits that apply to a run now.

    Args:
        place: person, course, profile and provider of the run.
        profile_slug: the slug of the profile.
        is_staff: is the person staff of the course or the site? Called only if a limit depends on it.
        now: aware.
    """
    rules = all_rules()
    has_tier = rules.depend_on_tier and is_staff()
    return _limits_for(rules, place, profile_slug, has_tier, now.replace(second=0, microsecond=0))


@lru_cache(maxsize=1024)
def _limits_for(rules: RuleSet, place: Subject, profile_slug: str | None, is_staff: bool, minute: datetime) -> Limits:
    chosen: dict[tuple[str, str], Rule] = {}
    for rule in rules.all:
        best = chosen.get((rule.per, rule.period))
        is_better = best is None or rule.specificity >= best.specificity
        if is_better and rule.fits(place, profile_slug, is_staff=is_staff):
            chosen[rule.per, rule.period] = rule
    return Limits(_limits(chosen.values(), place, minute))


def _limits(chosen: Iterable[Rule], place: Subject, now: datetime) -> Iterator[Limit]:
    for rule in chosen:
        subject = rule.subject(place)
        if subject is not None and rule.allowed:
            yield Limit(rule.per, rule.period, subject, rule.allowed, begins(rule.period, now), ends(rule.period, now))


@dataclass(frozen=True, slots=True, eq=False)
class RuleSet:
    """All configured limits, those of the settings first."""

    all: tuple[Rule, ...]

    @property
    def depend_on_tier(self) -> bool:
        return any(rule.tier for rule in self.all)


@cached_until_changed(lambda: conf.get("AI_EXTENSIONS_RESOLUTION_MAX_AGE"))
def all_rules() -> RuleSet:
    """All configured limits; cached until one changes, or for as long as scopes are cached."""
    of_admin = AILimit.objects.filter(enabled=True).select_related("profile").order_by("pk")
    return RuleSet((*_from_settings(), *map(rule_of, of_admin)))


conf.when_changed(_limits_for.cache_clear)


def _from_settings() -> Iterator[Rule]:
    for entry in conf.get("AI_EXTENSIONS_LIMITS"):
        yield Rule(
            per=entry["per"],
            period=entry["period"],
            allowed=_allowed(entry.get("requests"), entry.get("tokens"), entry.get("money")),
            tier=entry.get("tier", ""),
            course_id=entry.get("course"),
            profile_slug=entry.get("profile"),
            provider=entry.get("provider"),
        )


def rule_of(row: AILimit) -> Rule:
    """Convert a limit of the admin."""
    return Rule(
        per=row.per,
        period=row.period,
        allowed=_allowed(row.requests, row.tokens, row.money),
        tier=row.tier,
        user_id=row.user_id,
        course_id=str(row.course_id) if row.course_id else None,
        profile_slug=row.profile.slug if row.profile else None,
        provider=row.provider or None,
        is_from_admin=True,
    )


def _allowed(requests: int | None, tokens: int | None, money: Any) -> Mapping[LimitKind, int]:
    micros = None if money is None else int((Decimal(str(money)) * MICRO).to_integral_value(ROUND_DOWN))
    stated = {LimitKind.REQUESTS: requests, LimitKind.TOKENS: tokens, LimitKind.MONEY: micros}
    return {kind: amount for kind, amount in stated.items() if amount is not None}


def quota_exceeded(limit: Limit, kind: LimitKind) -> QuotaExceeded:
    """The error for a limit that is exceeded, or that allows nothing."""
    message, resets_at = _("AI is not available to you here."), None
    if limit.allowed[kind]:
        resets_at = limit.resets_at
        message = joined(EXHAUSTED_MESSAGES[limit.per], _("You can continue {time}.").format(time=resets_at))
    name = f"{limit.per}/{limit.period}/{kind}"
    return QuotaExceeded(message, refused_by=name, limit=kind, scope=limit.per, resets_at=resets_at)
