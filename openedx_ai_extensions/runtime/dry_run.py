"""A workflow tried out: it runs as for the person it is tried for, and nothing is stored and no event tells of it.

A real model is paid for, so whoever tries finds the run in the ledger; a mock one is asked nothing and leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.execution.execution import Execution
from openedx_ai_extensions.execution.stream import Result, Stream
from openedx_ai_extensions.ledger import Reservation
from openedx_ai_extensions.ledger.dry_run import DryLedgerRun, MockLedgerRun
from openedx_ai_extensions.ledger.models import AIWorkflowRun
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.processors.llm.provider.mock import MockModels
from openedx_ai_extensions.processors.llm.provider.types import Request
from openedx_ai_extensions.runtime.runner import run_allowed
from openedx_ai_extensions.workflows.orchestrators.base import RUN
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator
from openedx_ai_extensions.workflows.orchestrators.flashcards import FlashCardsOrchestrator
from openedx_ai_extensions.workflows.orchestrators.registry import orchestrator_class, orchestrator_for

DEFAULT_QUESTIONS = 3  # of a quiz, when nobody says how many


@dataclass(frozen=True, slots=True)
class DryRunRequest:
    """What is to be tried.

    Attributes:
        profile: the workflow, saved or not; whoever asks has made sure that it is valid.
        payer: who tries.
        person: for whom; whoever asks has made sure that this person may see the place.
        text: the person's words.
        number: how many cards or questions, where the workflow makes them.
        is_mock: ask no model.
        streams: somebody reads along.
    """

    profile: AIWorkflowProfile
    payer: Person
    person: Person
    course_id: CourseKey | None = None
    location_id: UsageKey | None = None
    text: str = ""
    number: int | None = None
    is_mock: bool = True
    streams: bool = True

    @property
    def user_input(self) -> Any:
        """The words and the number, as the workflow's ``run`` takes them."""
        orchestrator = orchestrator_class(self.profile.orchestrator_class or "")
        if issubclass(orchestrator, EducatorAssistantOrchestrator):
            return {"num_questions": self.number or DEFAULT_QUESTIONS, "extra_instructions": self.text}
        if issubclass(orchestrator, FlashCardsOrchestrator):
            return {"num_cards": self.number}
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DryExecution(Execution):
    """Nothing of it is stored, and no event tells of it.

    Attributes:
        requests: what went to a model, or would have, one for each time it was asked.
    """

    stores: ClassVar[bool] = False

    requests: list[Request] = field(default_factory=list)

    def session(self, location_id: UsageKey | None) -> AIWorkflowSession:
        return AIWorkflowSession.objects.in_memory(
            user=self.user, scope=self.scope, course_id=self.course_id, location_id=location_id
        )

    def record(self, event: str, **data: Any) -> None:
        """No event."""

    def on_request(self, request: Request) -> None:
        self.requests.append(request)


class _NoGuard(Guard):
    """For what asks no model and stores nothing: no rule is broken by it."""

    def require_allowed(self, *, asks_model: bool) -> None:
        """It always is."""

    def recheck(self) -> None:
        """It still is."""


class DryRun:
    """One dry run. ``begin`` it, then read its ``chunks``; ``close`` it to stop it early.

    The site's rules hold for a real model (switched off, paused, an exam of the person's); its consent is not asked
    for, since nothing of the person's goes out: the words are those of the person who tries.

    Attributes:
        response: the answer, of a workflow that gives it whole.
    """

    def __init__(self, asked: DryRunRequest) -> None:
        self.asked = asked
        self.response: Any = None
        self.refusal = self._guard(Guard).refusal()  # what the person would be told at this moment
        self._run = (MockLedgerRun if asked.is_mock else DryLedgerRun)(
            asked.payer,
            person=asked.person,
            course_id=asked.course_id,
            location_id=asked.location_id,
            profile_slug=asked.profile.slug,
        )
        self._execution: DryExecution | None = None
        self._stream: Stream | None = None

    def _guard(self, kind: type[Guard]) -> Guard:
        asked = self.asked
        return kind(user=asked.person, course_id=asked.course_id, location_id=asked.location_id, profile=asked.profile)

    @property
    def requests(self) -> Sequence[Request]:
        """What the model was sent, each time it was asked."""
        return self._execution.requests if self._execution else ()

    @property
    def row(self) -> AIWorkflowRun:
        """What it took so far, as the ledger records it."""
        return self._run.row

    @property
    def reservations(self) -> Sequence[Reservation]:
        """What each call was expected to take."""
        return self._run.reservations

    def begin(self) -> None:
        """Run it until the answer is there, or has begun to arrive.

        Raises:
            AIExtensionsError: what went wrong.
        """
        asked = self.asked
        scope = AIWorkflowScope(profile=asked.profile, course_id=asked.course_id or "")
        guard = self._guard(_NoGuard if asked.is_mock else Guard)
        self._execution = DryExecution(
            user=asked.person,
            scope=scope,
            action=RUN,
            traits=orchestrator_for(scope, RUN).traits[RUN],
            user_input=asked.user_input,
            course_id=asked.course_id,
            location_id=asked.location_id,
            accepts_stream=asked.streams,
            run=self._run,
            guard=guard,
            models=MockModels() if asked.is_mock else None,
        )
        guard.require_allowed(asks_model=False)
        outcome = run_allowed(self._execution)
        if isinstance(outcome, Result):
            self.response = outcome.response
        else:
            self._stream = outcome

    def chunks(self) -> Iterator[bytes]:
        """The answer as it arrives, as a ``Stream`` gives it; nothing of one that came whole.

        Raises:
            AIExtensionsError: it broke off.
        """
        while self._stream is not None and self._execution is not None:
            # Not around the yield: meanwhile this thread may run something else.
            with self._execution.as_current():
                try:
                    chunk = next(self._stream)
                except StopIteration:
                    return
            yield chunk

    def complete(self) -> tuple[str, AIExtensionsError | None]:
        """Run it to its end; returns the text of its chunks, and what went wrong."""
        text = ""
        try:
            self.begin()
            for chunk in self.chunks():
                text += chunk.decode()
        except AIExtensionsError as error:
            return text, error
        finally:
            self.close()
        return text, None

    def close(self) -> None:
        """Stop the model."""
        if self._stream is not None and self._execution is not None:
            with self._execution.as_current():
                self._stream.close()
