"""All sections, in the order in which an operator wants to know of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from openedx_ai_extensions.console.health import (
    cache,
    database,
    events,
    platform,
    providers,
    switches,
    templates,
    tools,
    worker,
)
from openedx_ai_extensions.console.health.findings import Finding, HealthLevel, HealthSection

SECTIONS: Mapping[str, tuple[str | Promise, Callable[[], list[Finding]]]] = {
    "switches": (_("Switches and pauses"), switches.check),
    "providers": (_("Providers"), providers.check),
    "templates": (_("Templates and profiles"), templates.check),
    "tools": (_("Tools"), tools.check),
    "cache": (_("Cache"), cache.check),
    "worker": (_("Background runs"), worker.check),
    "database": (_("Database"), database.check),
    "events": (_("Learning records (xAPI)"), events.check),
    "platform": (_("Platform"), platform.check),
}


def report() -> list[HealthSection]:
    """Look at everything. Nothing is written but one key of the cache, no provider is asked, and nothing can hang."""
    return [HealthSection(name, str(title), _looked(str(title), look)) for name, (title, look) in SECTIONS.items()]


def _looked(title: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except ImproperlyConfigured as error:
        return [Finding(HealthLevel.ERROR, title, f"{error}.")]
    except DatabaseError as error:
        text = _("This cannot be known: the database refuses ({error}).").format(error=type(error).__name__)
        return [Finding(HealthLevel.ERROR, title, text, str(_("See what is said of the database and its migrations.")))]
