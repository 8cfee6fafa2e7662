"""The only package that knows the platform. ``get_platform()`` returns the backend."""

from openedx_ai_extensions.edxapp.access import get_platform
from openedx_ai_extensions.edxapp.interface import Platform

__all__ = ["Platform", "get_platform"]
