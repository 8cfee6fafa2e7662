"""Reviews one question to a model and its answer, with the site's filters and moderators."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.http_responses import logged
from openedx_ai_extensions.exceptions import ContentRejected
from openedx_ai_extensions.filters import AIAnswerGiven, AIRunRequested, is_configured
from openedx_ai_extensions.ledger import Outcome, Run
from openedx_ai_extensions.moderation.base import TEXT_SEPARATOR, Direction, Moderator, Verdict, find_moderator

logger = logging.getLogger(__name__)

REFUSAL_MESSAGES: Mapping[Direction, str | Promise] = {
    Direction.BEFORE: _("This is something the AI cannot help with here. You are welcome to ask in another way."),
    Direction.AFTER: _(
        "The AI's answer does not meet this site's rules, so it is not shown. You are welcome to ask in another way."
    ),
}


class Review:
    """Checks what goes to the model, and what comes back before it is shown.

    Filters run before moderators on the way to the model: text that a filter removes reaches no moderator.

    Args:
        wanted: the profile's ``moderation``: names of moderators under ``before`` and ``after``, which replace those of
            the site.
        run: the run of the question.
    """

    def __init__(self, wanted: Mapping[str, Any] | None, run: Run) -> None:
        self.run = run
        self._wanted = wanted or {}
        self._usage: dict[str, int] = {}

    def request(self, text: str) -> str:
        """The text to send to the model in place of the person's input. A blank text is not checked.

        Raises:
            ContentRejected: the input must not be sent.
            AIExtensionsError: a moderator failed.
        """
        try:
            text = AIRunRequested.run_filter(text, self.run.about)
        except AIRunRequested.PreventRun as stop:
            self._refuse(Direction.BEFORE, f"filter/{AIRunRequested.filter_type}", stop.message, reason="filter")
        if text.strip():
            self._check(text, Direction.BEFORE)
        return text

    @property
    def watches_answers(self) -> bool:
        return self.needs_whole or bool(self._names(Direction.AFTER))

    @property
    def needs_whole(self) -> bool:
        """Must an answer be complete before any of it is shown?"""
        return is_configured(AIAnswerGiven)

    def answer(self, answer: Any) -> Any:
        """The text or JSON value to show in place of a complete answer.

        Raises: as ``request``.
        """
        text = answer if isinstance(answer, str) else TEXT_SEPARATOR.join(_texts(answer))
        if text.strip():
            self._check(text, Direction.AFTER)
        try:
            return AIAnswerGiven.run_filter(answer, self.run.about)
        except AIAnswerGiven.PreventAnswer as stop:
            self._refuse(Direction.AFTER, f"filter/{AIAnswerGiven.filter_type}", stop.message, reason="filter")

    def gate(self) -> Gate:
        """A gate for an answer that is shown while it streams."""
        return Gate(self._moderators(Direction.AFTER), self)

    def settle(self, moderator: Moderator, direction: Direction, verdict: Verdict) -> None:
        """Charge a check to the run, and apply its verdict.

        Raises:
            ContentRejected: the verdict refuses.
        """
        if verdict.usage:
            self.run.record_extra_usage(verdict.usage, verdict.price)
            total = sum(verdict.usage.values())
            for name, count in {**verdict.usage, "total_tokens": total}.items():
                self._usage[name] = self._usage.get(name, 0) + count
        if verdict.is_refused:
            self._refuse(
                direction,
                f"moderation/{moderator.name}/{direction}",
                verdict.message,
                reason="moderation",
                categories=verdict.categories,
            )

    def take_usage(self) -> Mapping[str, int]:
        """The token counts of the checks since the last call."""
        usage, self._usage = self._usage, {}
        return usage

    def _check(self, text: str, direction: Direction) -> None:
        for moderator in self._moderators(direction):
            self.settle(moderator, direction, moderator.check(text, direction, self.run))

    def _moderators(self, direction: Direction) -> list[Moderator]:
        return [find_moderator(name) for name in self._names(direction)]

    def _names(self, direction: Direction) -> Sequence[str]:
        names: Sequence[str] = self._wanted.get(direction, conf.site_moderation()[direction])
        return names

    def _refuse(
        self,
        direction: Direction,
        refused_by: str,
        message: str | Promise,
        *,
        reason: str,
        categories: Sequence[str] = (),
    ) -> NoReturn:
        logger.info("run.unsuitable run_id=%s refused_by=%s categories=%s",
                    self.run.about["run_id"], refused_by, ",".join(map(logged, categories)))  # fmt: skip
        error = ContentRejected(message or REFUSAL_MESSAGES[direction], refused_by=refused_by, reason=reason)
        if direction is Direction.BEFORE and not self.run.is_managed:
            self.run.end(Outcome.REFUSED, error_code=error.code, refused_by=refused_by)
        raise error


class Gate:
    """Passes on a streamed answer as far as every moderator has checked it."""

    def __init__(self, moderators: Sequence[Moderator], review: Review) -> None:
        self._screens = [
            moderator.screen(review.run, partial(review.settle, moderator, Direction.AFTER)) for moderator in moderators
        ]

    def feed(self, text: str) -> str:
        """Add a part of the answer. Returns the text that may be shown now.

        Raises:
            ContentRejected: the answer must be stopped.
            AIExtensionsError: a moderator failed.
        """
        for screen in self._screens:
            text = screen.feed(text) if text else ""
        return text

    def end(self) -> str:
        """End the answer. Returns the remaining text.

        Raises: as ``feed``.
        """
        rest = ""
        for screen in self._screens:
            rest = (screen.feed(rest) if rest else "") + screen.end()
        return rest


def _texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)
