"""A processor with a function of its own."""

from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.processors.base import function


class StudyPlanProcessor(LLMProcessor):
    default_function = "plan_week"

    @function
    def plan_week(self):
        return f"Plan {self.config['days']} days of study from the course material."
