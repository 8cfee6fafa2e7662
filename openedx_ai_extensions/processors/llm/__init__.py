"""The model: ``LLMProcessor`` says what to ask, ``gateway`` asks it."""

from openedx_ai_extensions.processors.llm import endpoint, validation
from openedx_ai_extensions.processors.llm.conversation import Conversation, Notice
from openedx_ai_extensions.processors.llm.exchange import Thread
from openedx_ai_extensions.processors.llm.messages import unfenced
from openedx_ai_extensions.processors.llm.processor import LLMProcessor

__all__ = ["Conversation", "LLMProcessor", "Notice", "Thread", "endpoint", "unfenced", "validation"]
