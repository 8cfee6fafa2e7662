"""Finds the class of an orchestrator by its name."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core.hooks import Problem, Severity, config_validator, provides
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import UnknownAction, WorkflowNotFound
from openedx_ai_extensions.workflows.models import AIWorkflowProfile, AIWorkflowScope
from openedx_ai_extensions.workflows.orchestrators.base import (
    BaseOrchestrator,
    DirectLLMResponse,
    MockResponse,
    MockStreamResponse,
)
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator
from openedx_ai_extensions.workflows.orchestrators.flashcards import FlashCardsOrchestrator
from openedx_ai_extensions.workflows.orchestrators.session_based_orchestrator import SessionBasedOrchestrator
from openedx_ai_extensions.workflows.orchestrators.threaded import ThreadedLLMResponse

logger = logging.getLogger(__name__)

OWN_PACKAGE = __name__.partition(".")[0]

_CLASSES: tuple[type[BaseOrchestrator], ...] = (
    DirectLLMResponse,
    ThreadedLLMResponse,
    EducatorAssistantOrchestrator,
    FlashCardsOrchestrator,
    MockResponse,
    MockStreamResponse,
)
BUILT_IN = {orchestrator.__name__: orchestrator for orchestrator in _CLASSES}


def orchestrator_class(name: str) -> type[BaseOrchestrator]:
    """The orchestrator that a template names: a built-in's short name or a dotted path.

    A built-in may be named by any path inside this package: published templates contain module names of several
    versions.

    Raises:
        ImportError: there is no such name, or the dotted path cannot be imported.
        TypeError: it is not an orchestrator.
    """
    package, _dot, short = name.rpartition(".")
    if short in BUILT_IN and package.partition(".")[0] in {"", OWN_PACKAGE}:
        return BUILT_IN[short]
    if "." not in name:
        raise ImportError(f"No orchestrator is called {name!r}.")
    found = import_string(name)
    if not (isinstance(found, type) and issubclass(found, BaseOrchestrator)):
        raise TypeError(f"{name!r} is not a subclass of BaseOrchestrator.")
    return found


def orchestrator_for(workflow: AIWorkflowScope, action: str) -> type[BaseOrchestrator]:
    """The orchestrator class of a workflow.

    Raises:
        WorkflowNotFound: the class cannot be found.
        UnknownAction: it has no such action.
    """
    try:
        orchestrator = orchestrator_class(workflow.profile.orchestrator_class or "")
    except (ImportError, TypeError):
        # Checked when the profile was saved, so the code has changed. The log and the system checks report it.
        logger.exception("workflow.orchestrator.missing profile=%s", workflow.profile.slug)
        raise WorkflowNotFound from None
    if action not in orchestrator.actions:
        raise UnknownAction
    return orchestrator


def is_available_to(profile: AIWorkflowProfile, user: Person, course_id: CourseKey | None) -> bool:
    """May this person use the workflow in this course? False if its orchestrator cannot be found."""
    try:
        return orchestrator_class(profile.orchestrator_class or "").is_available_to(user, course_id)
    except (ImportError, TypeError):
        return False


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
