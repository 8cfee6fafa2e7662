"""Steps that another plugin might bring."""

from __future__ import annotations

from typing import Any

from openedx_filters.filters import PipelineStep

from openedx_ai_extensions.filters import AIAnswerGiven, AIRunRequested

NUMBER = "555 1234"
MESSAGE = "Not during the night, please."


class HideNumber(PipelineStep):
    def run_filter(self, text: str, **_more: Any) -> dict[str, Any]:
        return {"text": text.replace(NUMBER, "[number]")}


class Prevent(PipelineStep):
    def run_filter(self, **_more: Any) -> dict[str, Any]:
        raise AIRunRequested.PreventRun(MESSAGE)


class Shout(PipelineStep):
    def run_filter(self, answer: Any, **_more: Any) -> dict[str, Any]:
        if isinstance(answer, str):
            return {"answer": answer.upper()}
        return {"answer": {"cards": [{**card, "question": card["question"].upper()} for card in answer["cards"]]}}


class Spoil(PipelineStep):
    def run_filter(self, **_more: Any) -> dict[str, Any]:
        return {"answer": {"cards": "none"}}


class PreventAnswer(PipelineStep):
    def run_filter(self, **_more: Any) -> dict[str, Any]:
        raise AIAnswerGiven.PreventAnswer


class Remember(PipelineStep):
    seen: list[dict[str, Any]] = []

    def run_filter(self, **given: Any) -> dict[str, Any]:
        self.seen.append(given)
        return {}
