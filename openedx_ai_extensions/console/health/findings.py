"""What a look at the site's health finds, in words."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class HealthLevel(enum.StrEnum):
    """How bad it is, from nothing on."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    @property
    def word(self) -> str:
        """For people: colour alone would not tell it to everyone."""
        return str(_WORDS[self])

    @property
    def rank(self) -> int:
        return list(HealthLevel).index(self)


_WORDS: Mapping[HealthLevel, str | Promise] = {
    HealthLevel.OK: _("In order"),
    HealthLevel.NOTE: _("Good to know"),
    HealthLevel.WARNING: _("Look at this"),
    HealthLevel.ERROR: _("Does not work"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        subject: what was looked at.
        text: how it is.
        advice: what to do; empty when there is nothing to do.
        key: what a page may offer more of, such as a provider's name.
    """

    level: HealthLevel
    subject: str
    text: str
    advice: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class HealthSection:
    """What was found about one part of the site."""

    name: str
    title: str
    findings: Sequence[Finding]

    @property
    def level(self) -> HealthLevel:
        return worst(self.findings)


def worst(findings: Sequence[Finding]) -> HealthLevel:
    """The worst of them; in order when there are none."""
    return max((finding.level for finding in findings), key=lambda level: level.rank, default=HealthLevel.OK)
