"""Dry runs of a workflow as another person: nothing is stored and no event is emitted.

A call of a real model is charged to the person who starts the dry run; a mock run calls no model and leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, ClassVar

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.execution.answers import Result, Stream
from openedx_ai_extensions.execution.execution import Execution
from openedx_ai_extensions.ledger.models import AIWorkflowRun
from openedx_ai_extensions.ledger.run import Reservation, Run
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.processors.llm.provider.mock import MockModels
from openedx_ai_extensions.processors.llm.provider.types import Request
from openedx_ai_extensions.runtime.runner import run_allowed
from openedx_ai_extensions.workflows.orchestrators import orchestrator_class, orchestrator_for
from openedx_ai_extensions.workflows.orchestrators.base import RUN
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator
from openedx_ai_extensions.workflows.orchestrators.flashcards_orchestrator import FlashCardsOrchestrator

DEFAULT_QUESTIONS = 3  # of a quiz, by default
DRY_RUN_ACTION = "try"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DryExecution(Execution):
    """An execution that stores nothing and emits no events.

    Attributes:
        requests: the requests that were sent to a model, or would have been.
    """

    stores: ClassVar[bool] = False

    requests: list[Request] = field(default_factory=list)

    def session(self, location_id: UsageKey | None, *, creates: bool = True) -> AIWorkflowSession:
        return AIWorkflowSession.objects.in_memory(
            user=self.user, scope=self.scope, course_id=self.course_id, location_id=location_id
        )

    def record(self, event: str, **data: Any) -> None:
        """Emits no event."""

    def on_request(self, request: Request) -> None:
        self.requests.append(request)


class _NoGuard(Guard):
    """Allows everything: a mock run calls no model and stores nothing."""

    def require_allowed(self, *, asks_model: bool) -> None:
        """Always allowed."""

    def recheck(self) -> None:
        """Always allowed."""


class DryLedgerRun(Run):
    """A run charged to the person who starts the dry run; the limits of the site, the provider and that person apply.

    It stores no course and no profile id, so it counts towards no budget of a course or profile.

    Args:
        payer: the person who starts the dry run.
        person: the person as whom it runs; plugins and moderators get this person.
        course_id, location_id: where it runs; plugins and moderators get these too.
        profile_slug: the tested profile, for reports; empty if it is not saved yet.

    Attributes:
        reservations: what each provider call was expected to use.
    """

    def __init__(
        self,
        payer: Person,
        *,
        person: Person,
        course_id: CourseKey | None,
        location_id: UsageKey | None,
        profile_slug: str,
    ) -> None:
        super().__init__(user=payer, profile_slug=profile_slug, action=DRY_RUN_ACTION)
        self.reservations: list[Reservation] = []
        self._tested_course_id = course_id
        self._tested_for = {
            "user_id": person.pk,
            "course_id": str(course_id) if course_id else None,
            "location_id": str(location_id) if location_id else None,
        }

    def _is_staff(self) -> bool:
        """Staff of the tested course count as staff."""
        payer, course_id = self.user, self._tested_course_id
        return super()._is_staff() or bool(payer and course_id and get_platform().is_course_staff(payer, course_id))

    @property
    def about(self) -> dict[str, Any]:
        return {**super().about, **self._tested_for}

    def reserve(self, reservation: Reservation) -> None:
        self.reservations.append(reservation)
        super().reserve(reservation)


class MockLedgerRun(DryLedgerRun):
    """The account of a mock run: kept in memory, without limits."""

    def require_quota(self, provider: str | None = None, *, waiting: int = 0) -> None:
        """Mock runs have no limits."""

    def _write(self, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.row, name, value)

    def end(self, outcome: str, *, error_code: str = "", refused_by: str = "") -> None:
        if not self.is_over:
            self.is_over = True
            told: Mapping[str, Any] = {"outcome": outcome, "error_code": error_code, "refused_by": refused_by}
            self._write(**told, duration_ms=self._elapsed_ms())


@dataclass(kw_only=True, eq=False)
class DryRun:
    """One dry run: see ``parts`` and ``complete``.

    The site's rules (switch, pauses, exams) apply to a real model. Consent is not required, because no data of the
    person is sent: the text is that of the person who starts the dry run.

    Attributes:
        profile: the workflow, saved or not; the caller has validated it.
        payer: the person who starts the dry run.
        person: the person as whom it runs; the caller has checked that this person may see the place.
        text: the person's message.
        number: the number of cards or questions, for workflows that create them.
        is_mock: call no model.
        response: the answer, of a workflow that does not stream.
        refusal: the error that the person would get now.
    """

    profile: AIWorkflowProfile
    payer: Person
    person: Person
    course_id: CourseKey | None = None
    location_id: UsageKey | None = None
    text: str = ""
    number: int | None = None
    is_mock: bool = True
    response: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.refusal = self._guard(Guard).refusal()
        self._run = (MockLedgerRun if self.is_mock else DryLedgerRun)(
            self.payer,
            person=self.person,
            course_id=self.course_id,
            location_id=self.location_id,
            profile_slug=self.profile.slug,
        )
        self._execution: DryExecution | None = None
        self._stream: Stream | None = None

    def _guard(self, kind: type[Guard]) -> Guard:
        return kind(user=self.person, course_id=self.course_id, location_id=self.location_id, profile=self.profile)

    def _user_input(self) -> Any:
        """The text and the number, as input of the workflow's ``run``."""
        orchestrator = orchestrator_class(self.profile.orchestrator_class or "")
        if issubclass(orchestrator, EducatorAssistantOrchestrator):
            return {"num_questions": self.number or DEFAULT_QUESTIONS, "extra_instructions": self.text}
        if issubclass(orchestrator, FlashCardsOrchestrator):
            return {"num_cards": self.number}
        return self.text

    @property
    def requests(self) -> Sequence[Request]:
        """The requests that were sent to the model."""
        return self._execution.requests if self._execution else ()

    @property
    def row(self) -> AIWorkflowRun:
        """The usage so far, as the ledger records it."""
        return self._run.row

    @property
    def reservations(self) -> Sequence[Reservation]:
        """The expected usage of each call."""
        return self._run.reservations

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Run it, and yield what arrives: a name and a value. Closing the iterator stops the run.

        ``requests``: those sent to the model so far; ``response``: the answer of a workflow that does not stream, or
        None; ``chunk``: bytes of a streamed answer; at the end ``error``: an AIExtensionsError or None.
        """
        error, shown = None, 0
        try:
            try:
                self._begin()
                for name, value in chain([("response", self.response)], self._chunks()):
                    if name == "response" or len(self.requests) > shown:
                        shown = len(self.requests)
                        yield "requests", self.requests
                    yield name, value
            except AIExtensionsError as raised:
                error = raised
            if len(self.requests) > shown:
                yield "requests", self.requests
            yield "error", error
        finally:
            if self._stream is not None and self._execution is not None:
                with self._execution.as_current():
                    self._stream.close()

    def complete(self) -> tuple[str, AIExtensionsError | None]:
        """Run it to its end; returns the text of its chunks, and what went wrong."""
        text, error = "", None
        for name, value in self.parts():
            if name == "chunk":
                text += value.decode()
            elif name == "error":
                error = value
        return text, error

    def _begin(self) -> None:
        """Run until the answer is complete or has started to arrive.

        Raises:
            AIExtensionsError: the run failed.
        """
        scope = AIWorkflowScope(profile=self.profile, course_id=self.course_id or "")
        guard = self._guard(_NoGuard if self.is_mock else Guard)
        self._execution = DryExecution(
            user=self.person,
            scope=scope,
            action=RUN,
            traits=orchestrator_for(scope, RUN).traits[RUN],
            user_input=self._user_input(),
            course_id=self.course_id,
            location_id=self.location_id,
            run=self._run,
            guard=guard,
            models=MockModels() if self.is_mock else None,
        )
        guard.require_allowed(asks_model=False)
        outcome = run_allowed(self._execution)
        if isinstance(outcome, Result):
            self.response = outcome.response
        else:
            self._stream = outcome

    def _chunks(self) -> Iterator[tuple[str, bytes]]:
        while self._stream is not None and self._execution is not None:
            # Not around the yield: the thread may run other code then.
            with self._execution.as_current():
                try:
                    chunk = next(self._stream)
                except StopIteration:
                    return
            yield "chunk", chunk
