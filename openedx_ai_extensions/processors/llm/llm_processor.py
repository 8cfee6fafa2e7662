"""Where other packages know what is in ``processor``."""

from openedx_ai_extensions.processors.llm.processor import LLMProcessor

__all__ = ["LLMProcessor"]
