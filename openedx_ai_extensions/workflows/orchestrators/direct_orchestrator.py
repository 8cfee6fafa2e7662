"""Where other packages, and templates, know what is in ``direct``."""

from openedx_ai_extensions.workflows.orchestrators.direct import DirectLLMResponse
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator

__all__ = ["DirectLLMResponse", "EducatorAssistantOrchestrator"]
