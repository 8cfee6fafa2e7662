"""From a scope to its orchestrator: the work behind ``AIWorkflowScope.execute``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.accounting import Outcome, Run
from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import AIExtensionsError, Refused, RunCancelled, UnknownAction, WorkflowNotFound
from openedx_ai_extensions.rules import Guard
from openedx_ai_extensions.workflows.models import AIWorkflowProfile, AIWorkflowScope
from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator
from openedx_ai_extensions.workflows.orchestrators.direct import DirectLLMResponse
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator
from openedx_ai_extensions.workflows.orchestrators.flashcards import FlashCardsOrchestrator
from openedx_ai_extensions.workflows.orchestrators.mock import MockResponse, MockStreamResponse
from openedx_ai_extensions.workflows.orchestrators.outcome import Ending, Result, Stream
from openedx_ai_extensions.workflows.orchestrators.session_based_orchestrator import SessionBasedOrchestrator
from openedx_ai_extensions.workflows.orchestrators.threaded import ThreadedLLMResponse
from openedx_ai_extensions.workflows.registry import Problem, Severity, config_validator, provides

logger = logging.getLogger(__name__)

ENDINGS: Mapping[Ending, str] = {
    Ending.COMPLETED: Outcome.COMPLETED,
    Ending.FAILED: Outcome.FAILED,
    Ending.CANCELLED: Outcome.CANCELLED,
}
# Stopping is never refused; and an action that has a model asked in the background is refused as one that asks it.
ALWAYS_ALLOWED = frozenset({"cancel_run"})
ASKS_LATER = frozenset({"run_async"})
OWN_PACKAGE = __name__.partition(".")[0]

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

    A built-in may be named by any path inside this package: published templates name modules of several versions.

    Raises:
        ImportError: no such name, or the dotted path does not import.
        TypeError: what it names is not an orchestrator.
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
        WorkflowNotFound: outside of courses, where this workflow does not run.
        AIExtensionsError: whatever else went wrong, with its code and status.
    """
    orchestrator = orchestrator_for(workflow, action)
    # Keys, or their texts: this is a public door.
    course, location = (running_context.get(name) or None for name in ("course_id", "location_id"))
    course_id, location_id = parse_place(course and str(course), location and str(location))
    course_id = course_id or workflow.course_id or None
    if course_id is None and not workflow.outside_courses:
        raise WorkflowNotFound
    context = {**running_context, "course_id": course_id, "location_id": location_id}
    run = Run(
        user=user,
        run_id=str(context.get("run_id") or ""),
        course_id=course_id,
        location_id=location_id,
        profile_id=workflow.profile_id,
        profile_slug=workflow.profile.slug,
        ui_slot_selector_id=str(context.get("ui_slot_selector_id") or ""),
        action=action,
    )
    guard = Guard(user=user, course_id=course_id, location_id=location_id, profile=workflow.profile)
    asks_model = action in orchestrator.asking_actions
    if action not in ALWAYS_ALLOWED:
        _require_allowed(guard, run, asks_model=asks_model or action in ASKS_LATER)
    runner = partial(orchestrator.get_orchestrator, workflow=workflow, user=user, context=context)
    outcome = carry_out(runner, action, user_input, run=run, guard=guard, asks_model=asks_model)
    return outcome.as_dict() if isinstance(outcome, Result) else outcome


def orchestrator_for(workflow: AIWorkflowScope, action: str) -> type[BaseOrchestrator]:
    """What runs this workflow.

    Raises:
        WorkflowNotFound: there is nothing that does.
        UnknownAction: it publishes no such action.
    """
    try:
        orchestrator = orchestrator_class(workflow.profile.orchestrator_class or "")
    except (ImportError, TypeError):
        # Refused at save time, so the code changed since: the operator reads it in the log and in the system checks.
        logger.exception("workflow.orchestrator.missing profile=%s", workflow.profile.slug)
        raise WorkflowNotFound from None
    if action not in orchestrator.actions:
        raise UnknownAction
    return orchestrator


def is_available_to(profile: AIWorkflowProfile, user: Person, course_id: CourseKey | None) -> bool:
    """Is this workflow for that person there? One that nothing runs is for nobody."""
    try:
        return orchestrator_class(profile.orchestrator_class or "").is_available_to(user, course_id)
    except (ImportError, TypeError):
        return False


def carry_out(
    runner: Callable[[], BaseOrchestrator],
    action: str,
    user_input: Any,
    *,
    run: Run,
    guard: Guard,
    asks_model: bool = True,
) -> Result | Stream:
    """Run an action that is allowed, in the account of ``run``, which is settled whatever happens.

    Raises:
        AIExtensionsError: whatever went wrong.
    """
    with run.entered(), guard.entered(), _settled(run, asks_model=asks_model):
        outcome = runner().run_action(action, user_input)
    if isinstance(outcome, Result):
        run.end(Outcome.COMPLETED)
        return outcome
    stream = outcome
    stream.watch(guard.check_again)
    stream.then(lambda ending, _text: _end(run, ENDINGS[ending], stream.error))
    return stream


def _require_allowed(guard: Guard, run: Run, *, asks_model: bool) -> None:
    """Write down what the rules refuse, if it was to be a run: whoever only looks has asked for none."""
    try:
        guard.require_allowed(asks_model=asks_model)
    except Refused as error:
        if asks_model:
            _end(run, Outcome.REFUSED, error)
        raise


@contextmanager
def _settled(run: Run, *, asks_model: bool) -> Iterator[None]:
    """Write down a run that fails, if it was one: an action that asks no model, and did not, is none."""
    try:
        yield
    except BaseException as error:
        if asks_model or run.is_written or isinstance(error, Refused):
            _end(run, Outcome.CANCELLED if isinstance(error, RunCancelled) else Outcome.FAILED, error)
        raise


def _end(run: Run, outcome: str, error: BaseException | None) -> None:
    if error is None:
        run.end(outcome)
    elif isinstance(error, Refused):
        run.end(Outcome.REFUSED, error_code=error.code, refused_by=error.refused_by)
    else:
        code = error.code if isinstance(error, AIExtensionsError) else AIExtensionsError.code
        run.end(outcome, error_code=code)


@provides("reads_processors")
def reads_processors(config: Mapping[str, Any]) -> bool:
    """Does the orchestrator of this configuration use processors? What cannot be found may."""
    try:
        return orchestrator_class(config.get("orchestrator_class") or "").reads_processors
    except (ImportError, TypeError):
        return True


@config_validator
def check_orchestrator(config: Mapping[str, Any]) -> Iterable[Problem]:
    """The orchestrator must import, be one, and do something."""
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
