"""What a moderator is."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.functional import Promise

from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.ledger.prices import Price
from openedx_ai_extensions.moderation.passages import Passages

# Between texts that do not belong together, such as two fields of an answer: a phrase does not go across.
TEXT_SEPARATOR = "\u2029"


class Direction(enum.StrEnum):
    """What is looked at: what a person says to the model, or what the model says."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a moderator says of a text.

    Attributes:
        is_refused: the text must not pass.
        categories: why, in machine words for the log; never a word of the text.
        message: for the person, translated; a general one when empty.
        usage: tokens that the check took, as its provider reports: ``prompt_tokens``, ``completion_tokens``.
        price: what they cost.
    """

    is_refused: bool = False
    categories: Sequence[str] = ()
    message: str | Promise = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    price: Price | None = None


PASSED = Verdict()

Settle = Callable[[Verdict], None]


class Screen(Protocol):
    """Watches one answer as it arrives. What it gives back may be shown at once."""

    def feed(self, text: str) -> str:
        """Take more of the answer; returns what may be shown now, which may be nothing yet."""

    def end(self) -> str:
        """The answer is whole; returns the rest of it."""


class Moderator:
    """Says of a text whether it may pass. A subclass writes ``check``.

    Args:
        name: as the site calls it.
        options: its entry in ``AI_EXTENSIONS_MODERATORS``, keys in lower case.

    Raises:
        ImproperlyConfigured: the options make no sense.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self.options = options

    def check(self, text: str, direction: Direction, run: Run) -> Verdict:
        """Look at a text.

        Args:
            text: what a person said, or a model; never course text.
            direction: which of the two.
            run: whose run it is: ``user``, ``course_id``, ``about``.

        Raises:
            AIExtensionsError: nobody can say, and then it does not pass.
        """
        raise NotImplementedError

    def screen(self, run: Run, settle: Settle) -> Screen:
        """Watch an answer as it arrives: sentence by sentence, unless a subclass knows better.

        Args:
            run: as for ``check``.
            settle: to be called with each verdict; raises when that refuses.
        """
        return Passages(lambda text: settle(self.check(text, Direction.AFTER, run)))
