"""The run under way: ``Execution`` holds who asked for what; ``Result`` and ``Stream`` are its answer."""

from openedx_ai_extensions.execution.answers import Ending, Result, StatusResult, Stream
from openedx_ai_extensions.execution.execution import Execution, SlotLocation, Traits, current_execution

__all__ = ["Ending", "Execution", "Result", "SlotLocation", "StatusResult", "Stream", "Traits", "current_execution"]
