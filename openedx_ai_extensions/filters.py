"""Where other plugins may change or stop a request to a model, or its answer: steps of openedx-filters.

A site lists the steps under these names in ``OPEN_EDX_FILTERS_CONFIG``. They are its own code, and trusted as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openedx_filters.exceptions import OpenEdxFilterException
from openedx_filters.tooling import OpenEdxPublicFilter


class AIRunRequested(OpenEdxPublicFilter):
    """Runs before a model is asked, with the person's words; they are empty when a button asks.

    A step is given ``text`` and ``run`` (``run_id``, ``user_id``, ``course_id``, ``location_id``, ``profile``,
    ``action``) and returns ``{"text": …}`` with what the model gets in their place, or raises ``PreventRun``.
    """

    filter_type = "org.openedx.ai_extensions.run.requested.v1"

    class PreventRun(OpenEdxFilterException):
        """The model is not asked; the person reads the message, or a general one when it is empty."""

    @classmethod
    def run_filter(cls, text: str, run: Mapping[str, Any]) -> str:
        """What the model gets in place of the person's words.

        Raises:
            PreventRun: a step does not want the run.
        """
        if not is_configured(cls):
            return text
        changed = cls.run_pipeline(text=text, run=run)["text"]
        if not isinstance(changed, str):
            raise TypeError(f"A step of {cls.filter_type} returned a text of type {type(changed).__name__}.")
        return changed


class AIAnswerGiven(OpenEdxPublicFilter):
    """Runs with a model's whole answer, before anybody sees it. A stream is held until it is whole.

    A step is given ``answer`` and ``run``, as ``AIRunRequested``, and returns ``{"answer": …}`` with what is shown and
    stored in its place, or raises ``PreventAnswer``. The answer is a text; of quiz questions and flashcards it is the
    dictionary that the model wrote, and must keep its form.
    """

    filter_type = "org.openedx.ai_extensions.answer.given.v1"

    class PreventAnswer(OpenEdxFilterException):
        """The answer is not shown; the person reads the message, or a general one when it is empty."""

    @classmethod
    def run_filter(cls, answer: Any, run: Mapping[str, Any]) -> Any:
        """What is shown and stored in place of the answer.

        Raises:
            PreventAnswer: a step does not want it shown.
        """
        if not is_configured(cls):
            return answer
        changed = cls.run_pipeline(answer=answer, run=run)["answer"]
        if type(changed) is not type(answer):
            raise TypeError(f"A step of {cls.filter_type} returned an answer of type {type(changed).__name__}.")
        return changed


def is_configured(point: type[OpenEdxPublicFilter]) -> bool:
    """Has the site listed steps for this filter?"""
    return bool(point.get_pipeline_configuration()[0])
