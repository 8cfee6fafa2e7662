"""A processor whose function asks the model itself."""

from typing import Any

from openedx_ai_extensions.processors import LLMProcessor


class CoachProcessor(LLMProcessor):
    """Reads ``CoachProcessor`` in a profile's ``processor_config``."""

    def coach(self) -> Any:
        self.extra_params["temperature"] = 0.2
        return self.ask(f"You coach {self.config['audience']}. Give one piece of advice.", stream=False)
