"""What a person must accept before a model is asked, and whether the person has."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import ConsentRequired
from openedx_ai_extensions.policy.data_recipients import Recipient, recipients
from openedx_ai_extensions.policy.models import AIConsent, AINotice, AINoticeVersion
from openedx_ai_extensions.policy.pauses import through_cache
from openedx_ai_extensions.workflows.models import AIWorkflowProfile

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it is now.

    Attributes:
        pk: of the notice.
        profile_id: whose it is; None for the site's.
        enabled: it asks for something.
        version: primary key of its present wording.
        number: which wording that is, counted from 1.
    """

    pk: int
    profile_id: int | None
    enabled: bool
    version: int
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What one acceptance is about: a wording, and to whom questions go."""

    notice: Notice
    recipients: Sequence[Recipient]

    @property
    def fingerprint(self) -> str:
        """Changes with the wording, and with any provider, its vendor or its region."""
        about = [self.notice.text, [[each.name, each.vendor, each.region] for each in self.recipients]]
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """For the person to read. The names of a site's providers are its own business."""
        seen = sorted({(each.vendor, each.region) for each in self.recipients})
        return {
            "text": self.notice.text,
            "version": self.notice.number,
            "fingerprint": self.fingerprint,
            "providers": [{"provider": vendor, "region": region or None} for vendor, region in seen],
        }


def terms_for(profile: AIWorkflowProfile | None) -> Terms | None:
    """What to accept for a profile: its own notice, or else the site's; None when there is nothing to accept."""
    notices = {notice.profile_id: notice for notice in through_cache(_cached_notices, _notices)}
    notice = (profile and notices.get(profile.pk)) or notices.get(None)
    if notice is None or not notice.enabled:
        return None
    return Terms(notice, recipients(profile.processor_config) if profile else ())


def require_consent(user: Person, profile: AIWorkflowProfile | None) -> None:
    """Raises unless there is nothing to accept, or the person has accepted it. One query at most.

    Raises:
        ConsentRequired: with what there is to accept.
    """
    terms = terms_for(profile)
    if terms is not None and not has_accepted(user, terms):
        path = reverse("openedx_ai_extensions:notices:notice", args=[profile.pk]) if profile and profile.pk else ""
        raise ConsentRequired(path=path, refused_by=f"consent/{terms.notice.pk}", extra={"notice": terms.as_dict()})


def has_accepted(user: Person, terms: Terms) -> bool:
    # Not cached: who withdraws is never asked twice.
    return _active_consents(user).filter(fingerprint=terms.fingerprint).exists()


def accept(user: Person, terms: Terms) -> None:
    """The person accepts these terms. Any number of times is once."""
    about = ", ".join(
        f"{each.name} ({' '.join(filter(None, (each.vendor, each.region)))})" for each in terms.recipients
    )
    _consent, is_new = AIConsent.objects.get_or_create(
        user_id=cast("int", user.pk),
        fingerprint=terms.fingerprint,
        holds=True,
        defaults={"version_id": terms.notice.version, "providers": about[:255], "accepted_at": timezone.now()},
    )
    if is_new:
        logger.info("consent.accepted user=%s notice=%s version=%s", user.pk, terms.notice.pk, terms.notice.number)


def withdraw(user: Person, terms: Terms) -> None:
    """The person takes back all that was ever accepted of this notice: every wording, for all providers."""
    # The same words for the same providers may have been accepted as another notice.
    meant = Q(version__notice=terms.notice.pk) | Q(fingerprint=terms.fingerprint)
    accepted = _active_consents(user).filter(meant)
    count = AIConsent.objects.filter(pk__in=list(accepted.values_list("pk", flat=True))).update(
        holds=None, withdrawn_at=timezone.now()
    )
    logger.info("consent.withdrawn user=%s notice=%s count=%s", user.pk, terms.notice.pk, count)


def _active_consents(user: Person) -> QuerySet[AIConsent]:
    return AIConsent.objects.filter(user_id=cast("int", user.pk), holds=True)


def _notices() -> tuple[Notice, ...]:
    rows = AINotice.objects.order_by("-pk")
    versions = {
        version.notice_id: version for version in AINoticeVersion.objects.filter(notice__in=rows).order_by("number")
    }
    return tuple(
        Notice(row.pk, row.profile_id, row.enabled, versions[row.pk].pk, versions[row.pk].number, versions[row.pk].text)
        for row in rows
        if row.pk in versions
    )


@lru_cache(maxsize=2)
def _cached_notices(_token: str, _bucket: float) -> tuple[Notice, ...]:
    return _notices()


conf.when_changed(_cached_notices.cache_clear)
