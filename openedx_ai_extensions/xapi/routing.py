"""Repairs the allow-lists at start-up, if event routing is installed."""

from __future__ import annotations

from django.conf import settings
from eventtracking.django.django_tracker import override_default_tracker

from openedx_ai_extensions.xapi.allow_list import BACKENDS, allow_events


def ensure_events_allowed() -> None:
    """Allow our events again, in case the settings were replaced after ours had run.

    Event routing's production settings, or a patch that runs last, may have replaced what ``plugin_settings`` set. The
    tracker may have been built from these already, so it is rebuilt. If nothing was replaced, nothing happens.
    """
    before = getattr(settings, BACKENDS, None)
    allow_events(settings)
    if getattr(settings, BACKENDS, None) != before:
        override_default_tracker()
