"""Course content for the model."""

from openedx_ai_extensions.processors.openedx import validation
from openedx_ai_extensions.processors.openedx.processor import OpenEdXProcessor

__all__ = ["OpenEdXProcessor", "validation"]
