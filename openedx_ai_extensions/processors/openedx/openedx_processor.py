"""Former module name of ``processor``, imported by extensions."""

from openedx_ai_extensions.processors.openedx.processor import OpenEdXProcessor

__all__ = ["OpenEdXProcessor"]
