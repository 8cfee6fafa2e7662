"""One run, from the first call of a provider to its end: its row in the ledger, and what it may use."""

from __future__ import annotations

import itertools
import logging
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.connection_release import reconnect
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.ledger import bounds, counters, refusals, sql, thresholds
from openedx_ai_extensions.ledger.limits import Amounts, Limit, LimitKind, Limits, limits_for
from openedx_ai_extensions.ledger.models import AIWorkflowRun
from openedx_ai_extensions.ledger.prices import Price, PriceSource
from openedx_ai_extensions.ledger.quota import quota_exceeded
from openedx_ai_extensions.ledger.subjects import Subject

logger = logging.getLogger(__name__)

Outcome = AIWorkflowRun.Outcome

# Several who reserve the last of a budget at once see each other: the later one steps back, the first looks again.
MAX_LIMIT_CHECKS = 8
RUNS_PER_COUNT = 50  # runs
NO_AMOUNTS = Amounts()
# Fields that are written again with each update of a running row.
CHANGING_FIELDS = (
    "calls",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "cost_micros",
    "is_estimated",
    "is_cached",
    "first_token_ms",
    "finish_reason",
)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a call of a provider may use.

    Attributes:
        provider: name of its entry in ``AI_EXTENSIONS``.
        model: its model.
        prompt_tokens: what is sent, counted by us.
        completion_tokens: what it is expected to answer.
        price: None when nobody knows it.
        seconds: after which the call is over in any case.
    """

    provider: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    price: Price | None
    seconds: float

    @property
    def tokens(self) -> int:
        return bounds.tokens(self.prompt_tokens + self.completion_tokens)

    @property
    def micros(self) -> int:
        usage = {"prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens}
        return self.price.cost(usage) if self.price else 0


class Run:
    """The handle of a run. It is written to the ledger when the first provider is called, or when it ends before that.

    Args:
        user: the person whose run it is.
        run_id: identifies it to clients; made when left out.
        course_id: where it runs.
        location_id: where in the course.
        profile_id: primary key of its profile.
        profile_slug: of its profile.
        ui_slot_selector_id: the widget slot.
        action: the published action.
    """

    def __init__(
        self,
        *,
        user: Person | None,
        run_id: str = "",
        course_id: CourseKey | None = None,
        location_id: UsageKey | None = None,
        profile_id: int | None = None,
        profile_slug: str = "",
        ui_slot_selector_id: str = "",
        action: str = "",
    ) -> None:
        self.user = user
        self.course_id = course_id
        self._row = AIWorkflowRun(
            run_id=run_id or uuid.uuid4().hex,
            user_id=user.pk if user is not None else None,
            course_id=course_id or "",
            location_id=location_id or "",
            profile_id=profile_id,
            profile_slug=profile_slug,
            ui_slot_selector_id=ui_slot_selector_id,
            action=action,
            service_variant=conf.service_variant(),
            outcome=Outcome.RUNNING,
        )
        self._started = time.monotonic()
        self._price: Price | None = None
        self._failed: list[str] = []
        self._merged_into: int | None = None  # the row of an earlier refusal
        self.is_over = False
        self.is_managed = False  # true: an execution ends it; else each call of a provider does

    @property
    def is_written(self) -> bool:
        return self._row.pk is not None

    @property
    def row(self) -> AIWorkflowRun:
        """What it has come to so far; in the ledger only when ``is_written``."""
        return self._row

    @property
    def about(self) -> dict[str, Any]:
        """Who asks, where and for what, in plain values: for a site's own code, and for the log."""
        row = self._row
        return {
            "run_id": row.run_id,
            "user_id": row.user_id,
            "course_id": str(row.course_id) or None,
            "location_id": str(row.location_id) or None,
            "profile": row.profile_slug,
            "action": row.action,
        }

    def require_quota(self, provider: str | None = None, *, waiting: int = 0) -> None:
        """Look, without reserving, whether another request is allowed at all.

        Args:
            provider: that would be asked; None for whichever it is.
            waiting: requests that are to be made before it.

        Raises:
            QuotaExceeded: it is not.
        """
        now = timezone.now()
        limits = self._limits_at(provider, now)
        plus = Amounts(1 + waiting, 1 + waiting, 0)
        over = _exceeded(limits, counters.limit_usage(limits, now), plus=plus) if limits else None
        if over:
            raise quota_exceeded(*over)

    def limit_status(self, provider: str | None = None) -> list[tuple[Limit, Amounts]]:
        """The limits that hold, each with what is used or reserved of it. Nothing is written."""
        now = timezone.now()
        limits = self._limits_at(provider, now)
        used = counters.limit_usage(limits, now) if limits else None
        return [(limit, used.of(limit)) for limit in limits] if used else []

    def reserve(self, reservation: Reservation) -> None:
        """Write down that a provider is about to be called, and make sure that this is allowed.

        What was held for an earlier call of this run is let go.

        Raises:
            QuotaExceeded: it is not; names the narrowest limit that is exceeded.
            LLMConfigError: nobody knows the price, money is limited, and the site wants no such call then.
        """
        now = timezone.now()
        row = self._row
        if row.provider and row.provider != reservation.provider:
            self._failed.append(row.provider)
        failed = [name for name in dict.fromkeys(self._failed) if name != reservation.provider]
        limits = self._limits_at(reservation.provider, now)
        self.is_over = False
        if self._merged_into is not None:
            refusals.undo_merge(self._merged_into)
            self._merged_into = None
        self._price = reservation.price
        self._require_price(reservation, limits)
        row.calls += 1
        self._write(
            outcome=Outcome.RUNNING,
            provider=reservation.provider,
            model=reservation.model[:150],
            fallback_from=",".join(failed)[:255],
            price_source=reservation.price.source if reservation.price else PriceSource.NONE,
            held_tokens=reservation.tokens,
            held_micros=reservation.micros,
            held_until=now + timedelta(seconds=reservation.seconds),
        )
        if limits:
            self._require_within_limits(limits, now)

    def record_skipped(self, provider: str, model: str) -> None:
        """It was this provider's turn, but it rests, because it kept failing: it is not called."""
        row = self._row
        if row.provider and self.is_written:
            self._failed += [row.provider, provider]
        else:
            self._failed += [row.provider] if row.provider else []
            row.provider, row.model = provider, model[:150]

    def record_usage(self, usage: Mapping[str, int], *, is_estimated: bool = False, finish_reason: str = "") -> None:
        """Add what a call has used.

        Args:
            usage: ``prompt_tokens``, ``cached_tokens`` (of these) and ``completion_tokens``.
            is_estimated: the provider did not say so; it is our count.
            finish_reason: how the answer ended.
        """
        self.record_extra_usage(usage, self._price)
        self._row.is_estimated = self._row.is_estimated or is_estimated
        self._row.finish_reason = finish_reason

    def record_extra_usage(self, usage: Mapping[str, int], price: Price | None) -> None:
        """Add what a call used that nothing was reserved for, such as a moderator's."""
        row = self._row
        row.prompt_tokens = bounds.tokens(row.prompt_tokens + usage.get("prompt_tokens", 0))
        row.cached_tokens = bounds.tokens(row.cached_tokens + usage.get("cached_tokens", 0))
        row.completion_tokens = bounds.tokens(row.completion_tokens + usage.get("completion_tokens", 0))
        row.cost_micros = bounds.micros(row.cost_micros + (price.cost(usage) if price else 0))

    def record_cache_hit(self) -> None:
        """The answer came from the response cache: it used nothing."""
        self._row.is_cached = True

    def record_first_token(self) -> None:
        """The model has begun to answer."""
        if self._row.first_token_ms is None:
            self._row.first_token_ms = self._elapsed_ms()

    def end(self, outcome: str, *, error_code: str = "", refused_by: str = "") -> None:
        """Settle: write what became of it. Only the first call counts. A run that never called anybody and completed
        leaves no row.
        """
        if self.is_over or (not self.is_written and outcome == Outcome.COMPLETED):
            return
        self.is_over = True
        row = self._row
        ending = {"outcome": outcome, "error_code": error_code[:64], "refused_by": refused_by[:100]}
        if outcome == Outcome.REFUSED and not (row.calls or row.tokens or row.cost_micros):
            for name, value in ending.items():
                setattr(row, name, value)
            self._merged_into = refusals.merge_into_earlier(row)
            if self._merged_into is not None:
                return
        self._write(**ending, duration_ms=self._elapsed_ms(), held_tokens=0, held_micros=0, held_until=None)
        if row.pk % RUNS_PER_COUNT == 0:
            _count()

    def _limits_at(self, provider: str | None, now: datetime) -> Limits:
        row = self._row
        place = Subject(row.user_id, str(self.course_id) if self.course_id else None, row.profile_id, provider)
        return limits_for(place, row.profile_slug or None, self._is_staff, now)

    def _is_staff(self) -> bool:
        user = self.user
        if user is None or not user.is_active:
            return False
        return user.is_staff or (self.course_id is not None and get_platform().is_course_staff(user, self.course_id))

    def _require_price(self, reservation: Reservation, limits: Limits) -> None:
        if reservation.price is not None or not any(LimitKind.MONEY in limit.allowed for limit in limits):
            return
        policy = conf.get("AI_EXTENSIONS_UNKNOWN_PRICE")
        if policy == "tokens_only":
            return
        logger.warning(
            "ledger.price.unknown provider=%s model=%s policy=%s", reservation.provider, reservation.model, policy
        )
        if policy == "block":
            raise LLMConfigError

    def _require_within_limits(self, limits: Limits, now: datetime) -> None:
        for look in itertools.count():
            used = counters.limit_usage(limits, now, before=self._row.pk)
            if not look:
                thresholds.notify_reached(limits, used)
            over = _exceeded(limits, used)
            if over is None:
                return
            if look == MAX_LIMIT_CHECKS or _exceeded(limits, used, only_before=True):
                self._refuse(over)
            time.sleep(random.uniform(0.5, 1.5) * 0.01 * 2 ** min(look, 4))  # noqa: S311  # spreads load, guards nothing

    def _refuse(self, over: tuple[Limit, LimitKind]) -> NoReturn:
        """Let go of what is held, and say why.

        Raises:
            QuotaExceeded: always.
        """
        self._row.calls -= 1
        error = quota_exceeded(*over)
        self.end(Outcome.REFUSED, error_code=error.code, refused_by=error.refused_by)
        raise error

    def _write(self, **fields: Any) -> None:
        row = self._row
        for name, value in fields.items():
            setattr(row, name, value)
        if row.pk is None:
            row.created_at = timezone.now()
            sql.insert(row)
        elif not self._update((*fields, *CHANGING_FIELDS)):
            counters.recount(row)

    def _update(self, names: tuple[str, ...]) -> bool:
        try:
            return sql.update(self._row, names)
        except (OperationalError, InterfaceError) as error:
            logger.warning("ledger.run.written_again run_id=%s error=%s", self._row.run_id, type(error).__name__)
        reconnect()
        return sql.update(self._row, names)

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)


def _count() -> None:
    """Housekeeping: whoever's run it happens to be does not suffer from its faults, and the next one tries again."""
    try:
        counters.count()
    except DatabaseError as error:
        logger.warning("ledger.count.failed error=%s", type(error).__name__)


def _exceeded(
    limits: Limits, used: counters.LimitUsage, *, only_before: bool = False, plus: Amounts = NO_AMOUNTS
) -> tuple[Limit, LimitKind] | None:
    """The narrowest limit that is exceeded, and of what; of several as narrow, the longest."""
    over = []
    for limit in limits:
        amounts = used.of(limit, only_before=only_before) + plus
        over += [(limit, kind) for kind, allowed in limit.allowed.items() if amounts.of(kind) > allowed]
    return min(over, key=lambda each: (each[0].breadth, -each[0].resets_at.timestamp()), default=None)
