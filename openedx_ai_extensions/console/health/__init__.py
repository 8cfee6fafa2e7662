"""Does everything work that AI on this site needs? ``report`` checks everything but sends nothing to a provider.

``ping`` sends one provider a short request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from openedx_ai_extensions.console.health import configuration, providers, services
from openedx_ai_extensions.console.health.findings import Finding, HealthLevel, HealthSection, error
from openedx_ai_extensions.console.health.providers import ping

__all__ = ["Finding", "HealthLevel", "HealthSection", "ping", "report"]

# In the order in which an operator wants to know.
SECTIONS: Mapping[str, tuple[str | Promise, Callable[[], Iterable[Finding]]]] = {
    "switches": (_("Switches and pauses"), configuration.switches),
    "providers": (_("Providers"), providers.providers),
    "templates": (_("Templates and profiles"), configuration.templates),
    "tools": (_("Tools"), configuration.tools),
    "cache": (_("Cache"), services.cache),
    "worker": (_("Background runs"), services.worker),
    "database": (_("Database"), services.database),
    "events": (_("Learning records (xAPI)"), services.events),
    "platform": (_("Platform"), configuration.platform),
}


def report() -> list[HealthSection]:
    """Check everything, each part within a time limit. Writes one cache key, and calls no provider."""
    return [HealthSection(name, str(title), _findings(str(title), check)) for name, (title, check) in SECTIONS.items()]


def _findings(title: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except ImproperlyConfigured as problem:
        return [error(title, f"{problem}.")]
    except DatabaseError as problem:
        text = _("This cannot be checked: the database reports {error}.").format(error=type(problem).__name__)
        return [error(title, text, str(_("See the section about the database.")))]
