"""Where other packages, and templates, know what is in ``mock``."""

from openedx_ai_extensions.workflows.orchestrators.mock import MockResponse, MockStreamResponse

__all__ = ["MockResponse", "MockStreamResponse"]
