"""Language models: ``LLMProcessor`` builds the request, ``gateway`` sends it."""

import warnings

from openedx_ai_extensions.core.http_responses import StreamEvent
from openedx_ai_extensions.execution.answers import FinishReason, notice, with_notice
from openedx_ai_extensions.processors.llm import validation
from openedx_ai_extensions.processors.llm.conversation.conversation import Conversation
from openedx_ai_extensions.processors.llm.conversation.messages import unfenced
from openedx_ai_extensions.processors.llm.processor import LLMProcessor
from openedx_ai_extensions.processors.llm.provider import moderation_endpoint
from openedx_ai_extensions.processors.llm.provider.providers import CAPABILITIES, Capabilities
from openedx_ai_extensions.processors.llm.provider.types import Thread
from openedx_ai_extensions.processors.llm.structured import ask_structured

__all__ = [
    "CAPABILITIES",
    "Capabilities",
    "Conversation",
    "FinishReason",
    "LLMProcessor",
    "StreamEvent",
    "Thread",
    "ask_structured",
    "moderation_endpoint",
    "notice",
    "unfenced",
    "validation",
    "with_notice",
]


def __getattr__(name: str) -> type[StreamEvent]:
    """``Notice`` is the former name of ``StreamEvent``."""
    if name != "Notice":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn("Notice is called StreamEvent now.", DeprecationWarning, stacklevel=2)
    return StreamEvent
