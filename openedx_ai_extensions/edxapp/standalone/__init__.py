"""The backend without a platform: courses from exports, people from the settings."""

from openedx_ai_extensions.edxapp.standalone.backend import StandalonePlatform

__all__ = ["StandalonePlatform"]
