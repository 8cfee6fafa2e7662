"""Where other packages import the decorator of tools from; see ``tools``."""

from openedx_ai_extensions.tools import llm_tool

__all__ = ["llm_tool"]
