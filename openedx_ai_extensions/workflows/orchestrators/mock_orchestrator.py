"""Orchestrators that ask no model, to try a slot, a theme or an event pipeline at no cost."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.execution.answers import Result, Stream
from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator, action, input_text


class MockResponse(BaseOrchestrator):
    """Answers with a fixed text and asks no model, to try a slot, a theme or an event pipeline at no cost."""

    reads_processors = False

    @action
    def run(self, user_input: Any) -> Result | Stream:
        return self.result(_mock_answer(user_input))


class MockStreamResponse(MockResponse):
    """As ``MockResponse``, but streams the text word by word."""

    @action
    def run(self, user_input: Any) -> Result | Stream:
        if not self.context.get("accepts_stream", True):
            return super().run(user_input)
        return self.stream(word.encode() for word in re.findall(r"\S+\s*", _mock_answer(user_input)))


def _mock_answer(user_input: Any) -> str:
    question = input_text(user_input)
    if question:
        return _("This is a mock answer; no AI was asked. You wrote: {question}").format(question=question)
    return _("This is a mock answer; no AI was asked.")
