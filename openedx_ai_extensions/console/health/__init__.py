"""Does everything work that AI on this site needs? ``report`` checks everything but sends nothing to a provider.

``ping`` sends one provider a short request.
"""

from openedx_ai_extensions.console.health.findings import Finding, HealthLevel, HealthSection
from openedx_ai_extensions.console.health.providers import ping
from openedx_ai_extensions.console.health.report import report

__all__ = ["Finding", "HealthLevel", "HealthSection", "ping", "report"]
