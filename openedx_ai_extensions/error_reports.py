"""Former name of ``core.error_reports``."""

from openedx_ai_extensions.core.moved import moved

__getattr__ = moved(__name__, "openedx_ai_extensions.core.error_reports")
