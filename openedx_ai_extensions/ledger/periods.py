"""Calendar periods of limits, in the site's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core import conf


class Period(models.TextChoices):
    MINUTE = "minute", gettext_lazy("minute")
    HOUR = "hour", gettext_lazy("hour")
    DAY = "day", gettext_lazy("day")
    MONTH = "month", gettext_lazy("month")


def begins(period: str, moment: datetime) -> datetime:
    """The start of the period that contains a moment."""
    return _begins(period, moment.replace(second=0, microsecond=0))


def ends(period: str, moment: datetime) -> datetime:
    """The start of the following period."""
    return _ends(period, moment.replace(second=0, microsecond=0))


@lru_cache(maxsize=64)
def _begins(period: str, moment: datetime) -> datetime:
    local = moment.astimezone(timezone.get_default_timezone())
    match period:
        case Period.MINUTE:
            return local.replace(second=0, microsecond=0)
        case Period.HOUR:
            return local.replace(minute=0, second=0, microsecond=0)
        case Period.DAY:
            return _midnight(local)
    return _midnight(local.replace(day=1))


@lru_cache(maxsize=64)
def _ends(period: str, moment: datetime) -> datetime:
    start = begins(period, moment)
    match period:
        case Period.MINUTE:
            return _later(start, timedelta(minutes=1))
        case Period.HOUR:
            return _later(start, timedelta(hours=1))
        case Period.DAY:
            # A day may have 23 or 25 hours: adding a day to noon is safe.
            return _midnight(start.replace(hour=12) + timedelta(days=1))
    return _midnight((start.replace(day=28, hour=12) + timedelta(days=4)).replace(day=1))


conf.when_changed(_begins.cache_clear)
conf.when_changed(_ends.cache_clear)


def _midnight(local: datetime) -> datetime:
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def _later(start: datetime, length: timedelta) -> datetime:
    """Add a duration in absolute time, so that changes of daylight saving time do not matter."""
    return (start.astimezone(UTC) + length).astimezone(start.tzinfo)
