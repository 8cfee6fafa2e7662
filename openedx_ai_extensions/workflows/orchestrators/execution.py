"""From a scope to its orchestrator: the work behind ``AIWorkflowScope.execute``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import WorkflowNotFound
from openedx_ai_extensions.workflows.models import AIWorkflowScope
from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator
from openedx_ai_extensions.workflows.orchestrators.direct import DirectLLMResponse
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator
from openedx_ai_extensions.workflows.orchestrators.flashcards import FlashCardsOrchestrator
from openedx_ai_extensions.workflows.orchestrators.mock import MockResponse, MockStreamResponse
from openedx_ai_extensions.workflows.orchestrators.outcome import Result, Stream
from openedx_ai_extensions.workflows.orchestrators.threaded import ThreadedLLMResponse
from openedx_ai_extensions.workflows.registry import Problem, config_validator, provides

logger = logging.getLogger(__name__)

BUILT_IN: Mapping[str, type[BaseOrchestrator]] = {
    orchestrator.__name__: orchestrator
    for orchestrator in (
        DirectLLMResponse,
        ThreadedLLMResponse,
        EducatorAssistantOrchestrator,
        FlashCardsOrchestrator,
        MockResponse,
        MockStreamResponse,
    )
}


def orchestrator_class(name: str) -> type[BaseOrchestrator]:
    """The orchestrator a template names: a built-in's short name or a dotted path.

    Raises:
        ImportError: no such name, or the dotted path does not import.
        TypeError: what it names is not an orchestrator.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if "." not in name:
        raise ImportError(f"No orchestrator is called {name!r}.")
    found = import_string(name)
    if not (isinstance(found, type) and issubclass(found, BaseOrchestrator)):
        raise TypeError(f"{name!r} is not a subclass of BaseOrchestrator.")
    return found


@provides("execute")
def execute(
    *,
    workflow: AIWorkflowScope,
    user_input: Any,
    action: str,
    user: Person,
    running_context: Mapping[str, Any],
) -> dict[str, Any] | Stream:
    """Run one action of a workflow.

    Raises:
        AIExtensionsError: whatever went wrong, with its code and status.
    """
    try:
        orchestrator = orchestrator_class(workflow.profile.orchestrator_class or "")
    except (ImportError, TypeError):
        # Refused at save time, so the code changed since: the operator reads it in the log and in the system checks.
        logger.exception("workflow.orchestrator.missing profile=%s", workflow.profile.slug)
        raise WorkflowNotFound from None
    outcome = orchestrator.get_orchestrator(workflow=workflow, user=user, context=running_context).run_action(
        action, user_input
    )
    return outcome.as_dict() if isinstance(outcome, Result) else outcome


@config_validator
def check_orchestrator(config: Mapping[str, Any]) -> Iterable[Problem]:
    """The orchestrator must import, and be one."""
    try:
        orchestrator_class(config["orchestrator_class"])
    except (ImportError, TypeError) as error:
        names = ", ".join(sorted(BUILT_IN))
        yield Problem(
            "$.orchestrator_class",
            _("{error} Use one of {names}, or the dotted path of an importable subclass of BaseOrchestrator.").format(
                error=error, names=names
            ),
        )
