"""Orchestrators that answer without a model, to try a slot, a theme or an event pipeline at no cost."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.execution.stream import Result, Stream
from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator, action, input_text


def _answer(user_input: Any) -> str:
    question = input_text(user_input)
    if question:
        return _("This is a mock answer; no AI was asked. You wrote: {question}").format(question=question)
    return _("This is a mock answer; no AI was asked.")


class MockResponse(BaseOrchestrator):
    """Answers with a fixed text."""

    reads_processors = False

    @action
    def run(self, user_input: Any) -> Result | Stream:
        return self.result(_answer(user_input))


class MockStreamResponse(BaseOrchestrator):
    """Streams a fixed text, word by word."""

    reads_processors = False

    @action
    def run(self, user_input: Any) -> Result | Stream:
        answer = _answer(user_input)
        if not self.context.get("accepts_stream", True):
            return self.result(answer)
        return self.stream(_words(answer))


def _words(text: str) -> Generator[bytes, None, None]:
    for word in text.split(" "):
        yield f"{word} ".encode()
