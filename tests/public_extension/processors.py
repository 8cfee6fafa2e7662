"""A processor whose functions ask the model themselves."""

from openedx_ai_extensions.processors.llm.llm_processor import LLMProcessor


class CoachProcessor(LLMProcessor):
    def coach(self):
        return self._call_completion_wrapper(system_role=f"You coach {self.config['audience']}.")

    def coach_as_json(self):
        self.extra_params["response_format"] = {"type": "json_object"}
        return self._call_completion_wrapper(system_role="Answer in JSON.")

    def coach_in_pieces(self):
        return self.ask("You coach in pieces.")

    def coach_twice(self):
        draft = self.ask("Draft.", stream=False)
        self.input_data = draft["response"]
        return self.ask("Improve the draft.", stream=False)

    def plain_prompt(self):
        return "You are plain."

    def _private(self):
        raise AssertionError("must never run")

    def with_an_argument(self, text):
        raise AssertionError("must never run")
