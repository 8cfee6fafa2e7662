"""Does everything work that AI on this site needs? ``report`` looks; ``ask_provider`` has one provider say a word."""

from openedx_ai_extensions.console.health.findings import Finding, Level, Section
from openedx_ai_extensions.console.health.report import report
from openedx_ai_extensions.console.health.sign_of_life import ask_provider

__all__ = ["Finding", "Level", "Section", "ask_provider", "report"]
