"""Processors do one job each, such as reading the course or asking the model. They do not depend on HTTP or
orchestrators.
"""

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
