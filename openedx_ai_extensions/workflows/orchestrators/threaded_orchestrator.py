"""Former module name of ``threaded``, imported by extensions and templates."""

from openedx_ai_extensions.workflows.orchestrators.threaded import ThreadedLLMResponse

__all__ = ["ThreadedLLMResponse"]
