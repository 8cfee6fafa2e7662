"""A workflow tried out: it runs as for the person it is tried for, and nothing is stored and no event tells of it.

A real model is paid for, so whoever tries finds the run in the ledger; a mock one is asked nothing and leaves no trace.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.execution.stream import Result, Stream
from openedx_ai_extensions.ledger import Hold
from openedx_ai_extensions.ledger.dry_run import FreeRun, TrialRun
from openedx_ai_extensions.ledger.models import AIWorkflowRun
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.processors.llm.provider.types import Request
from openedx_ai_extensions.runtime.execution import carry_out
from openedx_ai_extensions.workflows.dry_run import Trial
from openedx_ai_extensions.workflows.orchestrators.educator import EducatorAssistantOrchestrator
from openedx_ai_extensions.workflows.orchestrators.flashcards import FlashCardsOrchestrator
from openedx_ai_extensions.workflows.orchestrators.registry import orchestrator_class, orchestrator_for

ACTION = "run"
SOME_QUESTIONS = 3  # of a quiz, when nobody says how many


@dataclass(frozen=True, slots=True)
class Wanted:
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
            return {"num_questions": self.number or SOME_QUESTIONS, "extra_instructions": self.text}
        if issubclass(orchestrator, FlashCardsOrchestrator):
            return {"num_cards": self.number}
        return self.text


class _NoGuard(Guard):
    """For what asks no model and stores nothing: no rule is broken by it."""

    def require_allowed(self, *, asks_model: bool) -> None:
        """It always is."""

    def check_again(self) -> None:
        """It still is."""


class Attempt:
    """One try. ``begin`` it, then read its ``chunks``; ``close`` it if nobody reads on.

    The site's rules hold for a real model (switched off, paused, an exam of the person's); its consent is not asked
    for, since nothing of the person's goes out: the words are those of whoever tries.

    Attributes:
        response: the answer, of a workflow that gives it whole.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.response: Any = None
        self.refusal = self._guard(Guard).refusal()  # what the person would be told at this moment
        self._trial = Trial(wanted.is_mock)
        kind = FreeRun if wanted.is_mock else TrialRun
        self._run = kind(
            wanted.payer,
            person=wanted.person,
            course_id=wanted.course_id,
            location_id=wanted.location_id,
            profile_slug=wanted.profile.slug,
        )
        self._stream: Stream | None = None

    def _guard(self, kind: type[Guard]) -> Guard:
        wanted = self.wanted
        return kind(
            user=wanted.person, course_id=wanted.course_id, location_id=wanted.location_id, profile=wanted.profile
        )

    @property
    def requests(self) -> Sequence[Request]:
        """What the model was sent, each time it was asked."""
        return self._trial.requests

    @property
    def row(self) -> AIWorkflowRun:
        """What it took so far, as the ledger writes it down."""
        return self._run.row

    @property
    def holds(self) -> Sequence[Hold]:
        """What each call was expected to take."""
        return self._run.holds

    def begin(self) -> None:
        """Run it until the answer is there, or has begun to arrive.

        Raises:
            AIExtensionsError: whatever went wrong.
        """
        wanted = self.wanted
        scope = AIWorkflowScope(profile=wanted.profile, course_id=wanted.course_id or "")
        orchestrator = orchestrator_for(scope, ACTION)
        guard = self._guard(_NoGuard if wanted.is_mock else Guard)
        guard.require_allowed(asks_model=False)
        context = {
            "course_id": wanted.course_id,
            "location_id": wanted.location_id,
            "run_id": uuid.uuid4().hex,
            "accepts_stream": wanted.streams,
        }
        with self._trial.entered():
            outcome = carry_out(
                lambda: orchestrator.get_orchestrator(workflow=scope, user=wanted.person, context=context),
                ACTION,
                wanted.user_input,
                run=self._run,
                guard=guard,
            )
        if isinstance(outcome, Result):
            self.response = outcome.response
        else:
            self._stream = outcome

    def chunks(self) -> Iterator[bytes]:
        """The answer as it arrives, as a ``Stream`` gives it; nothing of one that came whole.

        Raises:
            AIExtensionsError: it broke off.
        """
        while self._stream is not None:
            # Not around the yield: meanwhile this thread may do something in earnest.
            with self._trial.entered():
                try:
                    chunk = next(self._stream)
                except StopIteration:
                    return
            yield chunk

    def close(self) -> None:
        """Nobody reads on: the model is stopped."""
        if self._stream is not None:
            with self._trial.entered():
                self._stream.close()
