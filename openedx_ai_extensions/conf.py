"""Former name of ``core.conf``."""

from openedx_ai_extensions.core.moved import moved

__getattr__ = moved(__name__, "openedx_ai_extensions.core.conf")
