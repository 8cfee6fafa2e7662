"""What health checks find, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class HealthLevel(TextChoices):
    """How serious a finding is, from the least."""

    OK = "ok", _("OK")
    NOTE = "note", _("Note")
    WARNING = "warning", _("Warning")
    ERROR = "error", _("Error")

    @property
    def rank(self) -> int:
        return list(HealthLevel).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        subject: what was checked.
        text: what was found.
        advice: what to do; empty when there is nothing to do.
        provider: the provider that the finding is about, so that a page can offer to ping it.
    """

    level: HealthLevel
    subject: str
    text: str
    advice: str = ""
    provider: str = ""


ok = partial(Finding, HealthLevel.OK)
note = partial(Finding, HealthLevel.NOTE)
warning = partial(Finding, HealthLevel.WARNING)
error = partial(Finding, HealthLevel.ERROR)


@dataclass(frozen=True, slots=True)
class HealthSection:
    """The findings about one part of the site."""

    name: str
    title: str
    findings: Sequence[Finding]

    @property
    def level(self) -> HealthLevel:
        return worst(self.findings)


def worst(findings: Sequence[Finding]) -> HealthLevel:
    """The most serious level of these findings; OK when there are none."""
    return max((finding.level for finding in findings), key=lambda level: level.rank, default=HealthLevel.OK)
