"""One job each: read the course, ask the model. Processors know nothing of HTTP or of orchestrators."""

from openedx_ai_extensions.processors.llm import LLMProcessor
from openedx_ai_extensions.processors.llm.educator import EducatorAssistantProcessor
from openedx_ai_extensions.processors.openedx import OpenEdXProcessor, SubmissionProcessor
from openedx_ai_extensions.processors.openedx.content_library import ContentLibraryProcessor

__all__ = [
    "ContentLibraryProcessor",
    "EducatorAssistantProcessor",
    "LLMProcessor",
    "OpenEdXProcessor",
    "SubmissionProcessor",
]
