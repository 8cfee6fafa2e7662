"""At start-up, when event routing is installed: what settings alone cannot promise."""

from __future__ import annotations

from django.conf import settings
from eventtracking.django.django_tracker import override_default_tracker

from openedx_ai_extensions.xapi.allow_list import BACKENDS, allow_events


def ensure_events_allowed() -> None:
    """Allow our events once more, for settings that were replaced after ours had run.

    An operator's own configuration is read by event routing's production settings, or by a patch at the very end, and
    may have replaced what ``plugin_settings`` left. The tracker may have been built from it already, so it is rebuilt;
    where nothing had been replaced, nothing happens.
    """
    before = getattr(settings, BACKENDS, None)
    allow_events(settings)
    if getattr(settings, BACKENDS, None) != before:
        override_default_tracker()
