"""The notice that a person must accept before a model is asked, and the person's acceptance."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.cache import cached_until_changed
from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.core.messages import joined
from openedx_ai_extensions.core.provider_entries import ProviderEntry
from openedx_ai_extensions.core.redaction import configured_secrets, masked_text
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import ConsentRequired, QuotaExceeded
from openedx_ai_extensions.policy import pauses
from openedx_ai_extensions.policy.models import AIConsent, AINotice, AINoticeVersion
from openedx_ai_extensions.workflows.models import AIWorkflowProfile

logger = logging.getLogger(__name__)

MAX_ACCEPTANCES_PER_DAY = 20  # by one person
A_DAY = timedelta(days=1)
PROCESSORS_WITHOUT_MODEL = frozenset({"OpenEdXProcessor", "SubmissionProcessor", "ContentLibraryProcessor"})


@dataclass(frozen=True, slots=True, order=True)
class Recipient:
    """The parts of an entry of ``AI_EXTENSIONS``, or of ``AI_EXTENSIONS_MCP_CONFIGS``, that matter for consent.

    Attributes:
        name: name of the entry.
        processor: who gets the data, as people read it; of an MCP server its name.
        region: the entry's ``REGION``; empty if not set.
    """

    name: str
    processor: str
    region: str


def recipients(processor_config: Mapping[str, Any]) -> tuple[Recipient, ...]:
    """All that may receive a question or a part of it: the providers of the profile's processors, their fallbacks and
    their moderators, and the MCP servers whose tools a model may call.

    Those that the site does not have are omitted.
    """
    asking = [
        config
        for processor, config in processor_config.items()
        if processor not in PROCESSORS_WITHOUT_MODEL and isinstance(config, Mapping)
    ]
    names = {name for config in asking for name in _names(config)}
    entries = {conf.resolved_name(name, conf.providers()) for name in names}
    read = ((name, conf.provider_entry(name)) for name in entries)
    servers = {name for config in asking for name in _texts(config.get("mcp_configs"))}
    known = (Recipient(name, name, "") for name in servers if name in conf.mcp_servers())
    return tuple(sorted([*(_recipient(name, entry) for name, entry in read if entry), *known]))


def _names(config: Mapping[str, Any]) -> Iterator[str]:
    """The providers that a processor may ask, its moderators included."""
    name = str(config.get("provider") or "default")
    yield name
    stand_ins = config.get("fallbacks")
    if stand_ins is None:  # an empty list means no fallbacks
        entry = conf.provider_entry(conf.resolved_name(name, conf.providers()))
        stand_ins = entry.parameters.get("fallbacks") if entry else None
    yield from _texts(stand_ins)
    yield from _moderation_providers(config.get("moderation"))


def _moderation_providers(own: Any) -> Iterator[str]:
    """The providers of the moderators that the profile names, or those of the site."""
    said = {**conf.site_moderation(), **(own if isinstance(own, Mapping) else {})}
    moderators = conf.get("AI_EXTENSIONS_MODERATION.MODERATORS")
    for direction in ("before", "after"):
        for name in _texts(said.get(direction)):
            entry = {key.lower(): value for key, value in moderators.get(name, {}).items()}
            if entry.get("provider"):
                yield str(entry["provider"])


def _texts(value: Any) -> Iterator[str]:
    yield from map(str, value if isinstance(value, list | tuple) else ())


def _recipient(name: str, entry: ProviderEntry) -> Recipient:
    return Recipient(name, entry.processor, str(entry.parameters.get("region", "")))


@dataclass(frozen=True, slots=True)
class Notice:
    """The current state of a notice.

    Attributes:
        pk: primary key of the notice.
        profile_id: the profile; None for the notice of the site.
        enabled: the notice must be accepted.
        version: primary key of its current wording.
        number: number of the current wording, starting at 1.
        text: the current wording, without credentials.
    """

    pk: int
    profile_id: int | None
    enabled: bool
    version: int
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The subject of an acceptance: a wording, and the recipients of the data."""

    notice: Notice
    recipients: Sequence[Recipient]

    @property
    def fingerprint(self) -> str:
        """A hash of the wording and of each provider's name, processor and region."""
        about = [self.notice.text, [[each.name, each.processor, each.region] for each in self.recipients]]
        return hashlib.sha256(json.dumps(about).encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The terms for the person to read. The names of the site's providers are not included."""
        seen = sorted({(each.processor, each.region) for each in self.recipients})
        return {
            "text": self.notice.text,
            "version": self.notice.number,
            "fingerprint": self.fingerprint,
            "providers": [{"provider": processor, "region": region or None} for processor, region in seen],
        }


def terms_for(profile: AIWorkflowProfile | None) -> Terms | None:
    """The terms of a profile: its own notice, otherwise that of the site; None if there is nothing to accept."""
    notices = {notice.profile_id: notice for notice in _notices()}
    notice = (profile and notices.get(profile.pk)) or notices.get(None)
    if notice is None or not notice.enabled:
        return None
    return Terms(notice, recipients(profile.processor_config) if profile else ())


def require_consent(user: Person, profile: AIWorkflowProfile | None) -> None:
    """Raise an error if the person has not accepted the current terms. At most one query.

    Raises:
        ConsentRequired: contains the terms.
    """
    terms = terms_for(profile)
    if terms is not None and not has_accepted(user, terms):
        path = reverse("openedx_ai_extensions:notices:notice", args=[profile.pk]) if profile and profile.pk else ""
        raise ConsentRequired(path=path, refused_by=f"consent/{terms.notice.pk}", extra={"notice": terms.as_dict()})


def has_accepted(user: Person, terms: Terms) -> bool:
    # Not cached: a withdrawal takes effect at once.
    return _active_consents(user).filter(fingerprint=terms.fingerprint).exists()


def accept(user: Person, terms: Terms) -> None:
    """Record that the person accepts these terms. Idempotent.

    Raises:
        QuotaExceeded: the person has accepted too often today. Each acceptance stays on record, so their number is
            limited.
    """
    if has_accepted(user, terms):
        return
    _require_few_acceptances(user)
    about = ", ".join(
        f"{each.name} ({' '.join(filter(None, (each.processor, each.region)))})" for each in terms.recipients
    )
    _consent, is_new = AIConsent.objects.get_or_create(
        user_id=cast("int", user.pk),
        fingerprint=terms.fingerprint,
        holds=True,
        defaults={"version_id": terms.notice.version, "providers": about[:255], "accepted_at": timezone.now()},
    )
    if is_new:
        logger.info("consent.accepted user=%s notice=%s version=%s", user.pk, terms.notice.pk, terms.notice.number)


def _require_few_acceptances(user: Person) -> None:
    since = timezone.now() - A_DAY
    times = AIConsent.objects.filter(user_id=cast("int", user.pk), accepted_at__gt=since).order_by("-accepted_at")
    recent = list(times.values_list("accepted_at", flat=True)[:MAX_ACCEPTANCES_PER_DAY])
    if len(recent) == MAX_ACCEPTANCES_PER_DAY:
        resets_at = recent[-1] + A_DAY
        reason = _("You have accepted notices about AI too often today.")
        raise QuotaExceeded(
            joined(reason, _("You can continue {time}.").format(time=resets_at)),
            refused_by="person/acceptances",
            limit="acceptances",
            scope="person",
            resets_at=resets_at,
        )


def withdraw(user: Person, terms: Terms) -> None:
    """Withdraw all consents that the person gave to this notice: every wording, every provider."""
    # Identical terms may have been accepted as another notice.
    meant = Q(version__notice=terms.notice.pk) | Q(fingerprint=terms.fingerprint)
    accepted = _active_consents(user).filter(meant)
    count = AIConsent.objects.filter(pk__in=list(accepted.values_list("pk", flat=True))).update(
        holds=None, withdrawn_at=timezone.now()
    )
    logger.info("consent.withdrawn user=%s notice=%s count=%s", user.pk, terms.notice.pk, count)


def _active_consents(user: Person) -> QuerySet[AIConsent]:
    return AIConsent.objects.filter(user_id=cast("int", user.pk), holds=True)


@cached_until_changed(lambda: pauses.MAX_CACHE_SECONDS)
def _notices() -> tuple[Notice, ...]:
    rows = AINotice.objects.order_by("-pk")
    versions = {
        version.notice_id: version for version in AINoticeVersion.objects.filter(notice__in=rows).order_by("number")
    }
    secrets = configured_secrets()
    return tuple(
        Notice(row.pk, row.profile_id, row.enabled, version.pk, version.number, masked_text(version.text, secrets))
        for row in rows
        if (version := versions.get(row.pk))
    )
