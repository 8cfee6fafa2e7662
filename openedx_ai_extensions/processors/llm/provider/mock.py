"""Mock models: free of charge, with reproducible answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.execution.answers import FinishReason
from openedx_ai_extensions.moderation import PASSED, Verdict
from openedx_ai_extensions.processors.llm.provider.calls import estimated_tokens
from openedx_ai_extensions.processors.llm.provider.providers import Provider
from openedx_ai_extensions.processors.llm.provider.stream import Chunks
from openedx_ai_extensions.processors.llm.provider.types import Completion, Reading, Request

MAX_OUTER_ITEMS = 50  # in the outermost list of a structured answer; callers take as many as they need
# The provider of mock runs, independent of the site's settings.
MOCK = Provider("mock", "mock/mock", {})
INNER_ITEMS = 2  # in nested lists


class MockModels:
    """Replaces the providers of a site."""

    provider = MOCK

    def complete(self, request: Request) -> Completion:
        """A mock answer, which satisfies the request's schema if there is one."""
        text = _text(request) if request.schema is None else _json(request.schema["schema"])
        usage = _usage(request, text)
        _settle(request, usage)
        return Completion(text, Reading(usage, MOCK.model, finish_reason=FinishReason.STOP), request)

    def stream(self, request: Request) -> MockStream:
        """The same answer as a stream."""
        return MockStream(request)

    def moderate(self, _text: str) -> Verdict:
        return PASSED


class MockStream(Chunks):
    """The mock answer, word by word."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.reading = Reading(model_used=MOCK.model)
        self._text = _text(request)
        words = self._text.split(" ")
        self._words = iter([*(f"{word} " for word in words[:-1]), words[-1]])
        if request.run is not None:
            request.run.record_first_token()

    def __next__(self) -> bytes:
        try:
            return next(self._words).encode()
        except StopIteration:
            if not self.reading.usage:
                self.reading.usage = _usage(self.request, self._text)
                self.reading.finish_reason = FinishReason.STOP
                _settle(self.request, self.reading.usage)
            raise

    def close(self) -> None:
        """End the stream."""
        self._words = iter(())


def _text(request: Request) -> str:
    return _("This is a mock answer; no AI was asked. It would have got {count} messages.").format(
        count=len(request.messages)
    )


def _usage(request: Request, text: str) -> dict[str, int]:
    prompt, answer = estimated_tokens(request), len(text.encode()) // 4
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def _settle(request: Request, usage: Mapping[str, int]) -> None:
    if request.run is not None:
        request.run.record_first_token()
        request.run.record_usage(usage, is_estimated=True)


def _json(schema: Mapping[str, Any]) -> str:
    """A value that satisfies the schema. The first of several items is the correct one, for example of a question's
    choices.
    """
    return json.dumps(_value(schema, "", 0, MAX_OUTER_ITEMS), ensure_ascii=False)


def _value(schema: Mapping[str, Any], name: str, place: int, items: int) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    kinds = schema.get("type")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        return {key: _value(member, key, place, items) for key, member in schema["properties"].items()}
    if kind == "array":
        return [_value(schema["items"], name, number, INNER_ITEMS) for number in range(items)]
    if kind == "boolean":
        return place == 0
    if kind in {"integer", "number"}:
        return place
    return f"Mock {name.replace('_', ' ')} {place + 1}"
