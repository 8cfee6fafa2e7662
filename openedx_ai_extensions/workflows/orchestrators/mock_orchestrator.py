"""Former module name of ``mock``, imported by extensions and templates."""

from openedx_ai_extensions.workflows.orchestrators.mock import MockResponse, MockStreamResponse

__all__ = ["MockResponse", "MockStreamResponse"]
