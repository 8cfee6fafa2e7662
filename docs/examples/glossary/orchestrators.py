"""An orchestrator with two actions."""

from typing import Any

from glossary.processors import GlossaryProcessor
from openedx_ai_extensions.workflows.orchestrators import DirectLLMResponse, Result, action
from openedx_ai_extensions.workflows.orchestrators.base import input_text


class Glossary(DirectLLMResponse):
    """Defines a term, and proposes terms without asking a model."""

    @action
    def run(self, user_input: Any) -> Result:
        answer = GlossaryProcessor(self.profile.processor_config, extra_params={"stream": False}).process(
            context=self.course_content(), input_data=input_text(user_input)
        )
        # self.result also tells the learning record that the workflow was completed.
        return self.result(answer["response"], answer["usage"])

    @action
    def propose_terms(self, user_input: Any) -> Result:
        words = {word.strip(".,;:!?()").lower() for word in self.course_content().split()}
        return Result(sorted(word for word in words if word.isalpha() and len(word) > 9))
