"""Former module name of ``base``, imported by extensions and templates."""

from openedx_ai_extensions.workflows.orchestrators.base import DirectLLMResponse
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator

__all__ = ["DirectLLMResponse", "EducatorAssistantOrchestrator"]
