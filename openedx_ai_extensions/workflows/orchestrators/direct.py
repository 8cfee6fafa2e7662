"""An orchestrator for a single question and answer."""

from __future__ import annotations

from typing import Any

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.execution.stream import Result, Stream
from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.tools import ToolContext
from openedx_ai_extensions.workflows.orchestrators.base import BaseOrchestrator, action, input_text


class DirectLLMResponse(BaseOrchestrator):
    """Reads the course, asks the model and answers, streamed or not. Keeps no history."""

    @action
    def run(self, user_input: Any) -> Result | Stream:
        question = input_text(user_input)
        accepts_stream = self.context.get("accepts_stream", True)
        answer = LLMProcessor(
            self.profile.processor_config,
            extra_params=None if accepts_stream else {"stream": False},
            tool_context=ToolContext(self.user, self.course_id, self.location_id, get_platform()),
        ).process(context=self.course_content(), input_data=question)
        if isinstance(answer, dict):
            return self.result(answer["response"], answer["usage"], answer["finish_reason"])
        return self.stream(answer)

    @action
    def simple_button_assistance(self, user_input: Any) -> Result | Stream:
        """The name of ``run`` in older widgets."""
        return self.run(user_input)
