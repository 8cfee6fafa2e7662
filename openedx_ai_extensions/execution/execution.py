"""One execution of a workflow's action: person, action, location, ledger account and rules."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.execution.answers import FinishReason
from openedx_ai_extensions.execution.background import Lease
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.prompts.citations import Passages
from openedx_ai_extensions.workflows.models import AIWorkflowScope, AIWorkflowSession
from openedx_ai_extensions.xapi.events import emit


@dataclass(frozen=True, slots=True)
class Traits:
    """How an action is treated before it runs.

    Attributes:
        asks_model: the input goes to a model. The run is recorded in the ledger however it ends, and needs consent.
        asks_model_later: as ``asks_model``, but the model is asked in a separate run.
        replayable: a repeated request gets the stored answer. False for actions that read data that may have changed.
            The answer of an action with ``asks_model`` is stored only if a model was asked.
        always_allowed: no rule of the site refuses the action.
        keeps_nothing: the action needs no stored session, so none is created for it.
        max_chars: name of the setting that limits the input, in characters of JSON.
    """

    asks_model: bool = True
    asks_model_later: bool = False
    replayable: bool = True
    always_allowed: bool = False
    keeps_nothing: bool = False
    max_chars: str = "AI_EXTENSIONS_MAX_INPUT_CHARS"

    @property
    def takes_consent(self) -> bool:
        """Does the input go to a model, now or later?"""
        return self.asks_model or self.asks_model_later


_current: ContextVar[Execution | None] = ContextVar("openedx_ai_extensions_execution", default=None)


def current_execution() -> Execution | None:
    """The execution under way in this context, or None."""
    return _current.get()


@dataclass(frozen=True, slots=True)
class SlotLocation:
    """A widget slot and a location in a course; unknown parts are None."""

    course_id: CourseKey | None = None
    location_id: UsageKey | None = None
    ui_slot_selector_id: str | None = None


class OpenConversation(Protocol):
    """A conversation with a model, closed when its execution ends."""

    usage: dict[str, int]
    finish_reason: FinishReason | None

    def close(self) -> None:
        """Stop the conversation. Idempotent."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Execution:
    """A request that ``admit`` accepted and that ``run`` executes.

    Attributes:
        user: the person who asks.
        scope: the resolved scope, with its profile.
        action: the name of the action.
        traits: the properties that the orchestrator declares for the action.
        user_input: the client's input, unchanged.
        course_id, location_id: the person's location; None outside of courses.
        ui_slot_selector_id: the widget slot; empty when unknown.
        run_id: identifies the run to the client, in the ledger and in the log.
        accepts_stream: the client can read a streamed answer.
        lease: the lease of a background run; None when a client waits for the answer.
        run: the account in the ledger.
        guard: the site's rules.
        models: used in place of the providers; None for the real providers.
        conversations: the conversations with models that were started in this execution.
        passages: the passages of the course that its answer may cite.
    """

    # False: neither the site nor a provider may store anything.
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
    passages: Passages = field(default_factory=dict)

    @contextmanager
    def as_current(self) -> Iterator[None]:
        """Make this the current execution. ``run`` settles its ledger account, not the provider calls inside it."""
        self.run.is_managed = True
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @property
    def did_something(self) -> bool:
        """Did it ask a model, or may it have changed something? If not, it only read what is there."""
        return self.run.is_written or not self.traits.asks_model

    @property
    def context(self) -> Mapping[str, Any]:
        """The ``context`` argument of orchestrators."""
        return {
            "course_id": self.course_id,
            "location_id": self.location_id,
            "ui_slot_selector_id": self.ui_slot_selector_id,
            "run_id": self.run_id,
            "accepts_stream": self.accepts_stream,
        }

    def session(self, location_id: UsageKey | None, *, creates: bool = True) -> AIWorkflowSession:
        """The person's session with this workflow at a location. If there is none, it is created: at once, or only when
        it is saved.
        """
        return AIWorkflowSession.objects.for_context(
            user=self.user, scope=self.scope, course_id=self.course_id, location_id=location_id, creates=creates
        )

    def record(self, event: str, **data: Any) -> None:
        """Send an event to the tracker, see ``xapi.events.emit``."""
        emit(event, **data)

    def on_request(self, request: Any) -> None:
        """Called with each ``Request`` before it is sent to a model."""

    def close_conversations(self) -> None:
        """Close all conversations, including those that were not read to the end."""
        for conversation in self.conversations:
            conversation.close()
