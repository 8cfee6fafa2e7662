"""Former module name of ``base``, imported by extensions and templates."""

from openedx_ai_extensions.workflows.orchestrators.base import MockResponse, MockStreamResponse

__all__ = ["MockResponse", "MockStreamResponse"]
