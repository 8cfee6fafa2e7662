"""Settings that the plugin manager applies to the LMS and Studio. Everything else has its default in ``conf``."""

from __future__ import annotations

from typing import Any

from django.conf import global_settings

from openedx_ai_extensions.xapi.allow_list import allow_events

# A name, as settings are read before models can be imported.
EXCEPTION_REPORTER = "openedx_ai_extensions.core.error_reports.MaskedExceptionReporter"


def plugin_settings(settings: Any) -> None:
    """Let our events through to the learning record store, and mask credentials in Django's reports of errors.

    Runs any number of times, before or after the settings of other plugins.

    Args:
        settings: the platform's settings module, changed in place; nothing that the site set is overwritten.
    """
    allow_events(settings)
    if getattr(settings, "DEFAULT_EXCEPTION_REPORTER", global_settings.DEFAULT_EXCEPTION_REPORTER) == (
        global_settings.DEFAULT_EXCEPTION_REPORTER
    ):
        settings.DEFAULT_EXCEPTION_REPORTER = EXCEPTION_REPORTER
