"""The review of one question to a model: asks the site's plugins and moderators about what is said, both ways."""

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
from openedx_ai_extensions.moderation.base import TEXT_SEPARATOR, Direction, Moderator, Verdict
from openedx_ai_extensions.moderation.registry import find_moderator

logger = logging.getLogger(__name__)

REFUSAL_MESSAGES: Mapping[Direction, str | Promise] = {
    Direction.BEFORE: _("This is something the AI cannot help with here. You are welcome to ask in another way."),
    Direction.AFTER: _(
        "The AI's answer did not fit in here, so it is not shown. You are welcome to ask in another way."
    ),
}


class Review:
    """Sees what goes to the model first, and what comes back before anybody else does.

    Plugins stand outside, moderators next to the model: what a plugin takes out of a request reaches no moderator.

    Args:
        wanted: the profile's ``moderation``: names of moderators under ``before`` and ``after``, which take the place
            of the site's.
        run: whose question it is.
    """

    def __init__(self, wanted: Mapping[str, Any] | None, run: Run) -> None:
        self.run = run
        self._wanted = wanted or {}
        self._usage: dict[str, int] = {}

    def request(self, text: str) -> str:
        """What the model gets in place of the person's words; none are looked at when there are none.

        Raises:
            ContentRejected: they are not passed on.
            AIExtensionsError: a moderator could not say.
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
        """Must an answer be whole before any of it is shown?"""
        return is_configured(AIAnswerGiven)

    def answer(self, answer: Any) -> Any:
        """What is shown in place of a whole answer, a text or any JSON value.

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
        """For an answer that is shown as it arrives."""
        return Gate(self._moderators(Direction.AFTER), self)

    def settle(self, moderator: Moderator, direction: Direction, verdict: Verdict) -> None:
        """Put what a check took into the run's account, and see to its verdict.

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
        """Token counts of the checks since the last time, for whoever adds up what a run took."""
        usage, self._usage = self._usage, {}
        return usage

    def _check(self, text: str, direction: Direction) -> None:
        for moderator in self._moderators(direction):
            self.settle(moderator, direction, moderator.check(text, direction, self.run))

    def _moderators(self, direction: Direction) -> list[Moderator]:
        return [find_moderator(name) for name in self._names(direction)]

    def _names(self, direction: Direction) -> Sequence[str]:
        site: Mapping[str, Sequence[str]] = conf.get("AI_EXTENSIONS_MODERATION")
        names: Sequence[str] = self._wanted.get(direction, site.get(direction, ()))
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
    """Lets an answer pass as it arrives, as far as every moderator has seen it."""

    def __init__(self, moderators: Sequence[Moderator], review: Review) -> None:
        self._screens = [
            moderator.screen(review.run, partial(review.settle, moderator, Direction.AFTER)) for moderator in moderators
        ]

    def feed(self, text: str) -> str:
        """Take more of the answer; returns what may be shown now.

        Raises:
            ContentRejected: the answer must not go on.
            AIExtensionsError: a moderator could not say.
        """
        for screen in self._screens:
            text = screen.feed(text) if text else ""
        return text

    def end(self) -> str:
        """The answer is whole; returns the rest of it.

        Raises: as ``feed``.
        """
        rest = ""
        for screen in self._screens:
            rest = (screen.feed(rest) if rest else "") + screen.end()
        return rest


def _texts(value: Any) -> Iterator[str]:
    """The texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)
