"""The interface of moderators."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.functional import Promise

from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.ledger.prices import Price
from openedx_ai_extensions.moderation.passages import Passages

# Separates unrelated texts, such as two fields of an answer, so that no phrase matches across them.
TEXT_SEPARATOR = "\u2029"


class Direction(enum.StrEnum):
    """The direction of a text: from a person to the model, or from the model."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A moderator's decision about a text.

    Attributes:
        is_refused: the text must not pass.
        categories: machine-readable reasons for the log; never a part of the text.
        message: translated, for the person; empty for the default message.
        usage: tokens that the check used, as its provider reports: ``prompt_tokens``, ``completion_tokens``.
        price: the price of these tokens.
    """

    is_refused: bool = False
    categories: Sequence[str] = ()
    message: str | Promise = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    price: Price | None = None


PASSED = Verdict()

Settle = Callable[[Verdict], None]


class Screen(Protocol):
    """Checks one answer while it streams. The returned text may be shown at once."""

    def feed(self, text: str) -> str:
        """Add a part of the answer. Returns the text that may be shown now; it may be empty."""

    def end(self) -> str:
        """End the answer. Returns the remaining text."""


class Moderator:
    """Decides whether a text may pass. A subclass implements ``check``.

    Args:
        name: the moderator's name in the settings.
        options: its entry in ``AI_EXTENSIONS_MODERATION["MODERATORS"]``, keys in lower case.

    Raises:
        ImproperlyConfigured: the options are not valid.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self.options = options

    def check(self, text: str, direction: Direction, run: Run) -> Verdict:
        """Check a text.

        Args:
            text: the text of a person or of a model; never course content.
            direction: which of the two.
            run: the run: ``user``, ``course_id``, ``about``.

        Raises:
            AIExtensionsError: the check failed; the text does not pass.
        """
        raise NotImplementedError

    def screen(self, run: Run, settle: Settle) -> Screen:
        """Check an answer while it streams: passage by passage, unless a subclass overrides it.

        Args:
            run: as for ``check``.
            settle: must be called with each verdict; raises an error if the verdict refuses.
        """
        return Passages(lambda text: settle(self.check(text, Direction.AFTER, run)))
