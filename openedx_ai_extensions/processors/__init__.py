"""One job each: read the course, ask the model. Processors know nothing of HTTP or of orchestrators."""

from openedx_ai_extensions.processors.llm import LLMProcessor
from openedx_ai_extensions.processors.openedx import OpenEdXProcessor, SubmissionProcessor

__all__ = ["LLMProcessor", "OpenEdXProcessor", "SubmissionProcessor"]
