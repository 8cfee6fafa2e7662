"""The path of every request, event and background task to an orchestrator: ``admit``, then ``run``."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.hooks import provides
from openedx_ai_extensions.edxapp.access import may_see, parse_place
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    NotAllowed,
    PayloadTooLarge,
    Refused,
    RunCancelled,
    WorkflowNotFound,
)
from openedx_ai_extensions.execution.answers import Ending, Result, Stream
from openedx_ai_extensions.execution.background import Lease
from openedx_ai_extensions.execution.execution import Execution, SlotLocation
from openedx_ai_extensions.ledger import Outcome, Run
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.workflows.models import AIWorkflowScope
from openedx_ai_extensions.workflows.orchestrators.registry import orchestrator_for

logger = logging.getLogger(__name__)

OUTCOME_BY_ENDING: Mapping[Ending, str] = {
    Ending.COMPLETED: Outcome.COMPLETED,
    Ending.FAILED: Outcome.FAILED,
    Ending.CANCELLED: Outcome.CANCELLED,
}


def admit(
    user: Person,
    place: SlotLocation,
    *,
    action: str,
    user_input: Any,
    run_id: str = "",
    accepts_stream: bool = True,
    lease: Lease | None = None,
) -> Execution:
    """Check a request and create its execution.

    Args: see ``Execution``.

    Raises:
        NotAllowed: the person may not see the place.
        Refused: the place is hidden because of an exam.
        WorkflowNotFound: there is no usable workflow.
        UnknownAction: the workflow has no such action.
        PayloadTooLarge: the input is longer than the site allows.
    """
    course_id, location_id = place.course_id, place.location_id
    require_can_view(user, course_id, location_id)
    scope = AIWorkflowScope.get_profile(course_id and str(course_id), location_id, place.ui_slot_selector_id)
    if scope is None or not scope.profile.is_usable:
        raise WorkflowNotFound
    execution = execution_of(
        scope,
        user,
        place,
        action=action,
        user_input=user_input,
        run_id=run_id,
        accepts_stream=accepts_stream,
        lease=lease,
    )
    longest = conf.get(execution.traits.max_chars)
    if user_input is not None and len(json.dumps(user_input, ensure_ascii=False)) > longest:
        raise PayloadTooLarge
    return execution


def require_can_view(user: Person, course_id: CourseKey | None, location_id: UsageKey | None) -> None:
    """Raise an error unless the person may see the place. Places outside of courses are always allowed.

    Raises:
        Refused: it is hidden because of an exam, and the person has access to the course.
        NotAllowed: it is hidden for another reason.
    """
    if may_see(user, course_id, location_id):
        return
    in_course = location_id is not None and may_see(user, course_id or location_id.course_key, None)
    guard = Guard(user=user, course_id=course_id, location_id=location_id)
    raise (in_course and guard.refusal()) or NotAllowed()


def execution_of(
    scope: AIWorkflowScope,
    user: Person,
    place: SlotLocation,
    *,
    action: str,
    user_input: Any,
    run_id: str = "",
    accepts_stream: bool = True,
    lease: Lease | None = None,
) -> Execution:
    """As ``admit``, for a known scope and without checking whether the person may see the place."""
    traits = orchestrator_for(scope, action).traits[action]
    course_id, location_id = place.course_id or scope.course_id or None, place.location_id
    slot = place.ui_slot_selector_id or ""
    if course_id is None and not scope.outside_courses:
        raise WorkflowNotFound
    run_id = run_id or uuid.uuid4().hex
    return Execution(
        user=user,
        scope=scope,
        action=action,
        traits=traits,
        user_input=user_input,
        course_id=course_id,
        location_id=location_id,
        ui_slot_selector_id=slot,
        run_id=run_id,
        accepts_stream=accepts_stream,
        lease=lease,
        run=Run(
            user=user,
            run_id=run_id,
            course_id=course_id,
            location_id=location_id,
            profile_id=scope.profile_id,
            profile_slug=scope.profile.slug,
            ui_slot_selector_id=slot,
            action=action,
        ),
        guard=Guard(user=user, course_id=course_id, location_id=location_id, profile=scope.profile),
    )


@provides("execute")
def execute(
    *, workflow: AIWorkflowScope, user_input: Any, action: str, user: Person, running_context: Mapping[str, Any]
) -> dict[str, Any] | Stream:
    """Implements ``AIWorkflowScope.execute``."""
    # A public entry point: it accepts keys and strings.
    course, location = (running_context.get(name) or None for name in ("course_id", "location_id"))
    course_id, location_id = parse_place(course and str(course), location and str(location))
    outcome = run(
        execution_of(
            workflow,
            user,
            SlotLocation(course_id, location_id, running_context.get("ui_slot_selector_id")),
            action=action,
            user_input=user_input,
            run_id=str(running_context.get("run_id") or ""),
            accepts_stream=running_context.get("accepts_stream", True),
        )
    )
    return outcome.as_dict() if isinstance(outcome, Result) else outcome


def run(execution: Execution) -> Result | Stream:
    """Run an execution, if the site's rules allow it.

    Raises:
        AIExtensionsError: with its code and status.
    """
    if not execution.traits.always_allowed:
        _require_allowed(execution)
    return run_allowed(execution)


def run_allowed(execution: Execution) -> Result | Stream:
    """Run an execution without checking the rules. Its ledger account is always settled.

    Raises:
        AIExtensionsError: with its code and status.
    """
    orchestrator = orchestrator_for(execution.scope, execution.action)
    execution.scope.__dict__["_action"] = execution.action
    with execution.as_current(), _failures_recorded(execution):
        outcome = orchestrator.get_orchestrator(
            workflow=execution.scope, user=execution.user, context=execution.context
        ).run_action(execution.action, execution.user_input)
    if isinstance(outcome, Result):
        execution.run.end(Outcome.COMPLETED)
        return outcome
    stream = outcome

    def end(ending: Ending, _text: str) -> None:
        logger.info("workflow.stream.ended run_id=%s ending=%s", execution.run_id, ending)
        _end(execution.run, OUTCOME_BY_ENDING[ending], stream.error)

    stream.before_each_chunk(execution.guard.recheck)
    stream.on_finish(end)
    return stream


def _require_allowed(execution: Execution) -> None:
    """Check the site's rules. A refusal is recorded, unless the action only reads."""
    takes_consent = execution.traits.takes_consent
    try:
        execution.guard.require_allowed(asks_model=takes_consent)
    except Refused as error:
        if takes_consent:
            _end(execution.run, Outcome.REFUSED, error)
        raise


@contextmanager
def _failures_recorded(execution: Execution) -> Iterator[None]:
    """Record a failed run. Actions that did not call a model are not recorded."""
    try:
        yield
    except BaseException as error:
        account = execution.run
        if execution.traits.asks_model or account.is_written or isinstance(error, Refused):
            _end(account, Outcome.CANCELLED if isinstance(error, RunCancelled) else Outcome.FAILED, error)
        raise


def _end(run: Run, outcome: str, error: BaseException | None) -> None:
    if error is None:
        run.end(outcome)
    elif isinstance(error, Refused):
        run.end(Outcome.REFUSED, error_code=error.code, refused_by=error.refused_by)
    else:
        code = error.code if isinstance(error, AIExtensionsError) else AIExtensionsError.code
        run.end(outcome, error_code=code)
