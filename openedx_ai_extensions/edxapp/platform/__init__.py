"""The backend for the LMS and Studio."""

from openedx_ai_extensions.edxapp.platform.backend import OpenEdXPlatform

__all__ = ["OpenEdXPlatform"]
