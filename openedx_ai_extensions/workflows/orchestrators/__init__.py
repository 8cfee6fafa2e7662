"""The orchestrators: one class for each way to answer. The profile names its class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.core.hooks import Problem, Severity, config_validator, provides
from openedx_ai_extensions.execution.answers import Ending, Result, Stream
from openedx_ai_extensions.workflows.orchestrators import threads
from openedx_ai_extensions.workflows.orchestrators.base import (
    BUILT_IN,
    BaseOrchestrator,
    DirectLLMResponse,
    action,
    is_available_to,
    orchestrator_class,
    orchestrator_for,
)
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator
from openedx_ai_extensions.workflows.orchestrators.flashcards_orchestrator import FlashCardsOrchestrator
from openedx_ai_extensions.workflows.orchestrators.mock_orchestrator import MockResponse, MockStreamResponse
from openedx_ai_extensions.workflows.orchestrators.session_based_orchestrator import (
    ScopedSessionOrchestrator,
    SessionBasedOrchestrator,
)
from openedx_ai_extensions.workflows.orchestrators.threaded_orchestrator import ThreadedLLMResponse

__all__ = [
    "BUILT_IN",
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
    "is_available_to",
    "orchestrator_class",
    "orchestrator_for",
    "threads",
]

_CLASSES: tuple[type[BaseOrchestrator], ...] = (
    DirectLLMResponse,
    ThreadedLLMResponse,
    EducatorAssistantOrchestrator,
    FlashCardsOrchestrator,
    MockResponse,
    MockStreamResponse,
)
BUILT_IN.update({orchestrator.__name__: orchestrator for orchestrator in _CLASSES})


@provides("reads_processors")
def reads_processors(config: Mapping[str, Any]) -> bool:
    """Does the orchestrator of this configuration use processors? True if it cannot be found."""
    try:
        return orchestrator_class(config.get("orchestrator_class") or "").reads_processors
    except (ImportError, TypeError):
        return True


@config_validator
def check_orchestrator(config: Mapping[str, Any]) -> Iterable[Problem]:
    """The orchestrator must be importable, a subclass of BaseOrchestrator, and have an action of its own."""
    try:
        orchestrator = orchestrator_class(config["orchestrator_class"])
    except (ImportError, TypeError) as error:
        names = ", ".join(sorted(BUILT_IN))
        yield Problem(
            "$.orchestrator_class",
            _("{error} Use one of {names}, or the dotted path of an importable subclass of BaseOrchestrator.").format(
                error=error, names=names
            ),
        )
    else:
        if orchestrator.actions.keys() <= SessionBasedOrchestrator.actions.keys():
            message = _("This orchestrator does nothing: it has no method run, and none that is marked with @action.")
            yield Problem("$.orchestrator_class", message, Severity.WARNING)
