"""Where other packages, and templates, know what is in ``threaded``."""

from openedx_ai_extensions.workflows.orchestrators.threaded import ThreadedLLMResponse

__all__ = ["ThreadedLLMResponse"]
