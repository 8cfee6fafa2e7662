"""The orchestrators: one class for each way to answer. The profile names its class."""

from openedx_ai_extensions.execution.answers import Ending, Result, Stream
from openedx_ai_extensions.workflows.orchestrators import threads
from openedx_ai_extensions.workflows.orchestrators.base import (
    BaseOrchestrator,
    DirectLLMResponse,
    MockResponse,
    MockStreamResponse,
    action,
)
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator
from openedx_ai_extensions.workflows.orchestrators.flashcards import FlashCardsOrchestrator
from openedx_ai_extensions.workflows.orchestrators.registry import orchestrator_class
from openedx_ai_extensions.workflows.orchestrators.session_based_orchestrator import (
    ScopedSessionOrchestrator,
    SessionBasedOrchestrator,
)
from openedx_ai_extensions.workflows.orchestrators.threaded import ThreadedLLMResponse

__all__ = [
    "BaseOrchestrator",
    "DirectLLMResponse",
    "EducatorAssistantOrchestrator",
    "Ending",
    "FlashCardsOrchestrator",
    "MockResponse",
    "MockStreamResponse",
    "Result",
    "ScopedSessionOrchestrator",
    "SessionBasedOrchestrator",
    "Stream",
    "ThreadedLLMResponse",
    "action",
    "orchestrator_class",
    "threads",
]
