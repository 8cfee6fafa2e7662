"""The run under way: ``Execution`` holds who asked for what; ``Result`` and ``Stream`` are its answer."""

from openedx_ai_extensions.execution.execution import Execution, SlotLocation, Traits, current_execution
from openedx_ai_extensions.execution.stream import Ending, Result, StatusResult, Stream

__all__ = ["Ending", "Execution", "Result", "SlotLocation", "StatusResult", "Stream", "Traits", "current_execution"]
