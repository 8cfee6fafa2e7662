"""From a scope to its orchestrator: the work behind ``AIWorkflowScope.execute``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from openedx_ai_extensions.core.hooks import provides
from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import AIExtensionsError, Refused, RunCancelled, WorkflowNotFound
from openedx_ai_extensions.execution.stream import Ending, Result, Stream
from openedx_ai_extensions.ledger import Outcome, Run
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.workflows.models import AIWorkflowScope
from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator
from openedx_ai_extensions.workflows.orchestrators.registry import orchestrator_for

logger = logging.getLogger(__name__)

ENDINGS: Mapping[Ending, str] = {
    Ending.COMPLETED: Outcome.COMPLETED,
    Ending.FAILED: Outcome.FAILED,
    Ending.CANCELLED: Outcome.CANCELLED,
}
# Stopping is never refused; and an action that has a model asked in the background is refused as one that asks it.
ALWAYS_ALLOWED = frozenset({"cancel_run"})
ASKS_LATER = frozenset({"run_async"})


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
