"""A trial: a workflow that somebody tries out in the admin. Nothing is stored of it, and no event tells of it.

Whatever would store or tell asks ``current_trial`` first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

_current: ContextVar[Trial | None] = ContextVar("ai_workflow_trial", default=None)


def current_trial() -> Trial | None:
    """The trial under way in this context; None for whatever is in earnest."""
    return _current.get()


def is_rehearsal() -> bool:
    """Is this a trial that asks no model?"""
    trial = _current.get()
    return trial is not None and trial.is_mock


@dataclass(slots=True)
class Trial:
    """One workflow tried out once.

    Attributes:
        is_mock: no model is asked; an answer is made up that costs nothing and is the same every time.
        requests: what went to the model, one for each time it was asked.
    """

    is_mock: bool
    requests: list[Any] = field(default_factory=list)

    @contextmanager
    def entered(self) -> Iterator[Trial]:
        """Make it the current one."""
        token = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)
