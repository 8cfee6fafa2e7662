"""The platform itself: the LMS or Studio that this process is."""

from openedx_ai_extensions.edxapp.platform.backend import OpenEdXPlatform

__all__ = ["OpenEdXPlatform"]
