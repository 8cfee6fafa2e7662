"""Settings that the plugin manager applies to the LMS and Studio. Everything else has its default in ``conf``."""

from __future__ import annotations

from typing import Any

from openedx_ai_extensions.xapi.allow_list import allow_events


def plugin_settings(settings: Any) -> None:
    """Let our events through to the learning record store.

    Runs any number of times, before or after the settings of other plugins.

    Args:
        settings: the platform's settings module, changed in place; nothing that the site set is overwritten.
    """
    allow_events(settings)
