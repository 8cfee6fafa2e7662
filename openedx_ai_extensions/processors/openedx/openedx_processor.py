"""Where other packages know what is in ``processor``."""

from openedx_ai_extensions.processors.openedx.processor import OpenEdXProcessor

__all__ = ["OpenEdXProcessor"]
