"""Course content for the model, and the history of conversations."""

from openedx_ai_extensions.processors.openedx.processor import OpenEdXProcessor
from openedx_ai_extensions.processors.openedx.submission import SubmissionProcessor

__all__ = ["OpenEdXProcessor", "SubmissionProcessor"]
