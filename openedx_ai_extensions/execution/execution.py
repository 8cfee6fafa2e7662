"""One execution of a workflow's action: who asks for what, where, in which account and under which rules."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.execution.actions import Traits
from openedx_ai_extensions.execution.finish_reason import FinishReason
from openedx_ai_extensions.execution.lease import Lease
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.workflows.models import AIWorkflowScope, AIWorkflowSession
from openedx_ai_extensions.xapi.events import emit

_current: ContextVar[Execution | None] = ContextVar("openedx_ai_extensions_execution", default=None)


def current_execution() -> Execution | None:
    """The execution under way in this context; None outside of any."""
    return _current.get()


@dataclass(frozen=True, slots=True)
class SlotLocation:
    """Where a person asks: a widget slot, at a location of a course. What is not known is None."""

    course_id: CourseKey | None = None
    location_id: UsageKey | None = None
    ui_slot_selector_id: str | None = None


class OpenConversation(Protocol):
    """A conversation with a model, which must come to an end with its execution."""

    usage: dict[str, int]
    finish_reason: FinishReason | None

    def close(self) -> None:
        """Stop it. Idempotent."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Execution:
    """What ``admit`` lets through, and ``run`` runs.

    Attributes:
        user: the person who asks.
        scope: the scope that won, with its profile.
        action: the name of the action.
        traits: what the orchestrator says of that action.
        user_input: as the client sent it.
        course_id, location_id: where the person is; None outside of courses.
        ui_slot_selector_id: the widget slot; empty when unknown.
        run_id: identifies the run to the client, and in the ledger and the log.
        accepts_stream: can the client read the answer while it arrives?
        lease: of the background run that this is; None when a client waits for the answer.
        run: the account in the ledger.
        guard: the site's rules.
        models: answers in place of the providers; None for the providers themselves.
        conversations: those with models that were begun in this execution.
    """

    # False: neither we nor a provider may keep anything of it.
    stores: ClassVar[bool] = True

    user: Person
    scope: AIWorkflowScope
    action: str
    traits: Traits
    run: Run
    guard: Guard
    user_input: Any = None
    course_id: CourseKey | None = None
    location_id: UsageKey | None = None
    ui_slot_selector_id: str = ""
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    accepts_stream: bool = True
    lease: Lease | None = None
    models: Any = None  # a ``processors.llm.provider.providers.Models``
    conversations: list[OpenConversation] = field(default_factory=list)

    @contextmanager
    def as_current(self) -> Iterator[None]:
        """Make it the current one. Its account is settled by ``run``, not by the calls of providers within."""
        self.run.is_managed = True
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @property
    def context(self) -> Mapping[str, Any]:
        """What orchestrators get as ``context``."""
        return {
            "course_id": self.course_id,
            "location_id": self.location_id,
            "ui_slot_selector_id": self.ui_slot_selector_id,
            "run_id": self.run_id,
            "accepts_stream": self.accepts_stream,
        }

    def session(self, location_id: UsageKey | None) -> AIWorkflowSession:
        """The person's session with this workflow at a place, created when there is none."""
        return AIWorkflowSession.objects.for_context(
            user=self.user, scope=self.scope, course_id=self.course_id, location_id=location_id
        )

    def record(self, event: str, **data: Any) -> None:
        """Tell the tracker what happened, see ``xapi.events.emit``."""
        emit(event, **data)

    def on_request(self, request: Any) -> None:
        """Called with each ``Request`` that is about to go to a model."""

    def close_conversations(self) -> None:
        """Stop what was begun and is not read any more."""
        for conversation in self.conversations:
            conversation.close()
