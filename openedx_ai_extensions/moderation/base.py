"""The interface of moderators, their registered kinds, and those that a site configures."""

from __future__ import annotations

import enum
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.ledger.prices import Price

logger = logging.getLogger(__name__)

# The minimum length of a passage doubles from the first to the largest: the first text shows soon.
FIRST_PASSAGE_CHARS = 60
LARGEST_PASSAGE_CHARS = 1_000
MAX_PASSAGE_CHARS = 2_000  # a passage ends here even within a sentence
CONTEXT_CHARS = 200  # of the previous passage, checked again with the next one

# No nested quantifiers: takes linear time on any text.
_SENTENCE_END = re.compile("[.!?\u2026\u061f][\"'\u201d\u2019)\\]]?\\s|[\u3002\uff01\uff1f\u0964\n\u2029]")
# Separates unrelated texts, such as two fields of an answer, so that no phrase matches across them.
TEXT_SEPARATOR = "\u2029"


class Passages:
    """Holds an answer back until a passage is complete, and releases it once it has been checked.

    Passages end at a sentence or a line, and become longer: the first text appears soon, and a long answer needs few
    checks.

    Args:
        check: checks a passage, preceded by the end of the previous one; raises an error if it must not be shown.
    """

    def __init__(self, check: Callable[[str], None]) -> None:
        self._check = check
        self._held = ""
        self._before = ""
        self._least = FIRST_PASSAGE_CHARS

    def feed(self, text: str) -> str:
        self._held += text
        if len(self._held) < self._least:
            return ""
        ends = [found.end() for found in _SENTENCE_END.finditer(self._held)]
        end = ends[-1] if ends and ends[-1] >= self._least else 0
        if not end and len(self._held) > MAX_PASSAGE_CHARS:
            end = self._held.rfind(" ") + 1 or len(self._held)
        return self._checked(end)

    def end(self) -> str:
        return self._checked(len(self._held))

    def _checked(self, end: int) -> str:
        """Check the held text up to a position, and return it."""
        passage, self._held = self._held[:end], self._held[end:]
        if passage.strip():
            self._check(self._before + passage)
            self._before = passage[-CONTEXT_CHARS:]
            self._least = min(self._least * 2, LARGEST_PASSAGE_CHARS)
        return passage


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


ModeratorClass = TypeVar("ModeratorClass", bound=type[Moderator])

_kinds: dict[str, type[Moderator]] = {}


def moderator_kind(name: str) -> Callable[[ModeratorClass], ModeratorClass]:
    """Decorator: register a class under a name for ``KIND``. Other classes are named by their dotted path."""

    def register(kind: ModeratorClass) -> ModeratorClass:
        _kinds[name] = kind
        return kind

    return register


def find_moderator(name: str) -> Moderator:
    """The moderator of that name.

    Raises:
        LLMConfigError: it does not exist or cannot be created; nothing passes then.
    """
    try:
        return _moderator(name)
    except ImproperlyConfigured as error:
        logger.error("moderation.unusable moderator=%s reason=%s", logged(name), error)
        raise LLMConfigError from None


def moderator_problem(name: str) -> str | None:
    """The problem with a configured moderator, or None."""
    try:
        _moderator(name)
    except ImproperlyConfigured as error:
        return str(error)
    return None


@lru_cache(maxsize=64)
def _moderator(name: str) -> Moderator:
    """The moderator of that name; cached until a setting changes.

    Raises:
        ImproperlyConfigured: it cannot be created.
    """
    configured: Mapping[str, Mapping[str, object]] = conf.get("AI_EXTENSIONS_MODERATION.MODERATORS")
    entry = configured.get(name)
    if entry is None:
        raise ImproperlyConfigured("there is no such moderator")
    options = {key.lower(): value for key, value in entry.items()}
    return _kind(str(options.get("kind", "")))(name, options)


def _kind(name: str) -> type[Moderator]:
    if name in _kinds:
        return _kinds[name]
    try:
        found = import_string(name)
    except ImportError:
        known = ", ".join(sorted(_kinds))
        raise ImproperlyConfigured(f"its KIND must be one of {known}, or a class's dotted path") from None
    if not (isinstance(found, type) and issubclass(found, Moderator)):
        raise ImproperlyConfigured("its KIND is not a subclass of Moderator")
    return found


conf.when_changed(_moderator.cache_clear)
