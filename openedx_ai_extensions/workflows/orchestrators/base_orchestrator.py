"""Where other packages, and templates, know what is in ``base``."""

from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator

__all__ = ["BaseOrchestrator"]
