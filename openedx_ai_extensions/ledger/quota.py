"""The error message for an exceeded limit, and amounts of money as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import QuotaExceeded
from openedx_ai_extensions.ledger.limits import Limit, LimitKind
from openedx_ai_extensions.ledger.models import AILimit
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

CENT = Decimal("0.01")


def quota_exceeded(limit: Limit, kind: LimitKind) -> QuotaExceeded:
    """The error for a limit that is exceeded, or that allows nothing."""
    message, resets_at = _("AI is not available to you here."), None
    if limit.allowed[kind]:
        resets_at = limit.resets_at
        then = _("You can continue {time}.").format(time=readable_time(resets_at))
        message = f"{EXHAUSTED_MESSAGES[limit.per]} {then}"
    name = f"{limit.per}/{limit.period}/{kind}"
    return QuotaExceeded(message, refused_by=name, limit=kind, scope=limit.per, resets_at=resets_at)


def readable_time(moment: datetime) -> str:
    """A time for people, in the reader's time zone; with the date unless it is today."""
    local = timezone.localtime(moment)
    time = formats.date_format(local, "H:i")
    if local.date() == timezone.localdate():
        return _("at {time}").format(time=time)
    return _("on {day} at {time}").format(day=formats.date_format(local, "MONTH_DAY_FORMAT"), time=time)


def money(micros: int) -> Decimal:
    """Convert micro-units to an amount of the site's currency."""
    return Decimal(micros) / MICRO


def amount(micros: int) -> str:
    """An amount in the site's currency, rounded to cents; below ten cents with all significant digits."""
    value = money(micros)
    value = value.quantize(CENT) if value >= 10 * CENT or not value else value.normalize()
    places = max(-int(value.as_tuple().exponent), 2)
    number = formats.number_format(value, decimal_pos=places, force_grouping=True)
    return f"{number} {conf.get('AI_EXTENSIONS_COSTS.CURRENCY')}"
