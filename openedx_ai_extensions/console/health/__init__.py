"""Does everything work that AI on this site needs? ``report`` looks; ``ask_provider`` has one provider say a word."""

from openedx_ai_extensions.console.health.findings import Finding, HealthLevel, HealthSection
from openedx_ai_extensions.console.health.report import report
from openedx_ai_extensions.console.health.sign_of_life import ask_provider

__all__ = ["Finding", "HealthLevel", "HealthSection", "ask_provider", "report"]
