"""Former name of ``processors.llm.conversation.structured``."""

from openedx_ai_extensions.core.moved import moved

__getattr__ = moved(__name__, "openedx_ai_extensions.processors.llm.conversation.structured")
