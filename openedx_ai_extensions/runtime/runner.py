"""The path of every request, event and background task to an orchestrator: ``admit``, then ``run``.

Repeated requests are answered with the stored answer of the first one: see ``Replay``. Answers are stored in Django's
default cache for a while; without a cache, every request is a new one. Each person has a fixed number of places for
answers, so that requests cannot fill the cache.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from django.core.cache import cache
from django.db.models.signals import post_delete
from django.dispatch import receiver
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.cache import tolerated_outage
from openedx_ai_extensions.core.hooks import provides
from openedx_ai_extensions.edxapp.access import may_see, parse_place
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import (
    AIExtensionsError,
    DuplicateRequest,
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
from openedx_ai_extensions.workflows.models import AIWorkflowScope, AIWorkflowSession
from openedx_ai_extensions.workflows.orchestrators import orchestrator_for

logger = logging.getLogger(__name__)

OUTCOME_BY_ENDING: Mapping[Ending, str] = {
    Ending.COMPLETED: Outcome.COMPLETED,
    Ending.FAILED: Outcome.FAILED,
    Ending.CANCELLED: Outcome.CANCELLED,
}
ANSWER_SECONDS = 600  # lifetime of a stored answer
PLACES = 32  # stored answers per person
MAX_BYTES = 256 * 1024  # of a stored answer; memcached refuses values over one megabyte
_REPLAY_PREFIX = "openedx_ai_extensions.replay"


def admit(
    user: Person,
    place: SlotLocation,
    *,
    action: str,
    user_input: Any,
    run_id: str = "",
    accepts_stream: bool = True,
    lease: Lease | None = None,
    known_scope: AIWorkflowScope | None = None,
) -> Execution:
    """Check a request and create its execution.

    Args:
        known_scope: the scope, if the caller has checked the request; None to find the scope of the place.
        Others: see ``Execution``.

    Raises:
        NotAllowed: the person may not see the place.
        Refused: the place is hidden because of an exam.
        WorkflowNotFound: there is no usable workflow.
        UnknownAction: the workflow has no such action.
        PayloadTooLarge: the input is longer than the site allows.
    """
    scope = known_scope or _scope_at(user, place)
    traits = orchestrator_for(scope, action).traits[action]
    course_id, location_id = place.course_id or scope.course_id or None, place.location_id
    if course_id is None and not scope.outside_courses:
        raise WorkflowNotFound
    is_checked = known_scope is not None or user_input is None
    if not is_checked and len(json.dumps(user_input, ensure_ascii=False)) > conf.get(traits.max_chars):
        raise PayloadTooLarge
    slot = place.ui_slot_selector_id or ""
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


def _scope_at(user: Person, place: SlotLocation) -> AIWorkflowScope:
    course_id, location_id = place.course_id, place.location_id
    require_can_view(user, course_id, location_id)
    scope = AIWorkflowScope.get_profile(course_id and str(course_id), location_id, place.ui_slot_selector_id)
    if scope is None or not scope.profile.is_usable:
        raise WorkflowNotFound
    return scope


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


@provides("execute")
def execute(
    *, workflow: AIWorkflowScope, user_input: Any, action: str, user: Person, running_context: Mapping[str, Any]
) -> dict[str, Any] | Stream:
    """Implements ``AIWorkflowScope.execute``."""
    # A public entry point: it accepts keys and strings.
    course, location = (running_context.get(name) or None for name in ("course_id", "location_id"))
    course_id, location_id = parse_place(course and str(course), location and str(location))
    outcome = run(
        admit(
            user,
            SlotLocation(course_id, location_id, running_context.get("ui_slot_selector_id")),
            known_scope=workflow,
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


def _place(person: int | None, number: int) -> str:
    return f"{_REPLAY_PREFIX}.{person}.{number}"


def forget_answers(person: int) -> None:
    """Delete the stored answers of a person."""
    with tolerated_outage():
        cache.delete_many([_place(person, number) for number in range(PLACES)])


@receiver(post_delete, sender=AIWorkflowSession)
def _forget_with_session(instance: AIWorkflowSession, **_kwargs: Any) -> None:
    """Delete the stored answers with the conversation."""
    forget_answers(instance.user_id)


class Claim:
    """A claim to an id, which only one request can hold.

    As a context manager it releases the id if the block raises an error, so that the client can retry.

    Args:
        key: the key in the cache; None for a request without an id.
        seconds: lifetime of the claim.

    Raises (on entry):
        DuplicateRequest: another request has claimed it.
    """

    def __init__(self, key: str | None, seconds: int = ANSWER_SECONDS) -> None:
        self._key = key
        self._seconds = seconds

    def __enter__(self) -> Self:
        if self._ask("add", self._key, True, self._seconds) is False:
            raise DuplicateRequest
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, _exc: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if exc_type is not None:
            self.release()

    def release(self) -> None:
        """Release the id: the next request with it is a new one. Idempotent."""
        self._ask("delete", self._key)
        self._key = None  # another request may have claimed it meanwhile

    def _ask(self, method: str, *args: Any) -> Any:
        """Call the cache; an outage is ignored."""
        if self._key is None:
            return None
        with tolerated_outage():
            return getattr(cache, method)(*args)
        self._key = None
        return None


class Replay(Claim):
    """A request's claim to its id, or the stored answer of an earlier request.

    Args:
        request_id: the client's id; None for a request without one.
        person: primary key of the person who asks.
        parts: JSON-serialisable values that distinguish requests with the same id.

    Attributes:
        stored: the arguments of ``store`` for an earlier request; None for the first one.
    """

    def __init__(self, request_id: str | None, person: int | None, *parts: Any) -> None:
        self._id: str | None = None
        self._place = ""
        if request_id is not None:
            identity = json.dumps([request_id, person, *parts], sort_keys=True, default=str)
            digest = hashlib.sha256(identity.encode()).hexdigest()
            self._id = f"{_REPLAY_PREFIX}.{digest}"
            # The answer replaces an arbitrary earlier one: replacing the oldest would need a lock.
            self._place = _place(person, int(digest, 16) % PLACES)
        super().__init__(self._id)
        self.stored: tuple[bytes, Any] | None = None

    def __enter__(self) -> Self:
        try:
            super().__enter__()
        except DuplicateRequest:
            self._find()
            if self.stored is None:
                raise
            self._key = None  # another request holds the claim
        else:
            self._find()
            if self.stored is not None:
                self.release()
        return self

    def store(self, answer: bytes, about: Any = None) -> None:
        """Store an answer for repeated requests, unless it is too long; releases the claim.

        Args:
            answer: the answer that was sent.
            about: a value to store with it.
        """
        if len(answer) <= MAX_BYTES:
            self._ask("set", self._place, (self._id, (answer, about)), ANSWER_SECONDS)
        self.release()

    def _find(self) -> None:
        found, stored = self._ask("get", self._place) or (None, None)
        self.stored = stored if found == self._id else None
