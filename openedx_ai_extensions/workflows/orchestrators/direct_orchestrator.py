"""Former module name of ``direct``, imported by extensions and templates."""

from openedx_ai_extensions.workflows.orchestrators.direct import DirectLLMResponse
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator

__all__ = ["DirectLLMResponse", "EducatorAssistantOrchestrator"]
