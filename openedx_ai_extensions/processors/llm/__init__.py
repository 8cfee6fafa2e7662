"""The model: ``LLMProcessor`` says what to ask, ``gateway`` asks it."""

from openedx_ai_extensions.processors.llm import validation
from openedx_ai_extensions.processors.llm.processor import LLMProcessor
from openedx_ai_extensions.processors.llm.stream import TextStream

__all__ = ["LLMProcessor", "TextStream", "validation"]
