"""Former module name of ``processor``, imported by extensions."""

from openedx_ai_extensions.processors.llm.processor import LLMProcessor

__all__ = ["LLMProcessor"]
