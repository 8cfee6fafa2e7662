"""A processor with a function of its own."""

from openedx_ai_extensions.processors import LLMProcessor
from openedx_ai_extensions.processors.base import function


class GlossaryProcessor(LLMProcessor):
    """Asks the model as ``LLMProcessor`` does, but reads ``GlossaryProcessor`` in a profile's ``processor_config``."""

    default_function = "define_term"

    @function
    def define_term(self) -> str:
        """The system prompt. Course text and the learner's words are added by the processor."""
        audience = self.config.get("audience", "a beginner")
        return (
            f"The last message is a term. Define it for {audience} in at most two sentences, "
            "using only the course material. If the material does not explain it, say so."
        )
