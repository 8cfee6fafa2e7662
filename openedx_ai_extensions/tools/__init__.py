"""Functions that a model may call. ``llm_tool`` registers one; a ``Toolbox`` calls them for one person at one place."""

from openedx_ai_extensions.tools.registry import Tool, ToolContext, llm_tool
from openedx_ai_extensions.tools.toolbox import Toolbox, ToolResult

__all__ = ["Tool", "ToolContext", "ToolResult", "Toolbox", "llm_tool"]
