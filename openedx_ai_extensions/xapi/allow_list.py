"""Adds our events to the allow-lists of event routing, independently of the order in which settings are loaded.

Works on plain settings without importing event routing; a site without it only gains a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from openedx_ai_extensions.xapi.constants import EVENTS

ALLOWED = "EVENT_TRACKING_BACKENDS_ALLOWED_XAPI_EVENTS"
EVENT_BUS = "EVENT_BUS_TRACKING_LOGS"
BACKENDS = "EVENT_TRACKING_BACKENDS"

_WHITELIST = "eventtracking.processors.whitelist.NameWhitelistProcessor"
_TO_XAPI = "event_routing_backends.processors.xapi.transformer_processor.XApiProcessor"


def allow_events(settings: Any) -> None:
    """Add our events to the xAPI allow-list, and to the whitelists of backends that lead to xAPI.

    Idempotent. Lists, sets and dictionaries are replaced, never changed in place. If event routing's own settings run
    later, they build their backends from the list that is set here.

    Args:
        settings: a settings module or ``django.conf.settings``; its attributes are set.
    """
    setattr(settings, ALLOWED, _with_ours(getattr(settings, ALLOWED, ())))
    if hasattr(settings, EVENT_BUS):
        setattr(settings, EVENT_BUS, _with_ours(getattr(settings, EVENT_BUS)))
    backends = getattr(settings, BACKENDS, None)
    if backends:
        setattr(settings, BACKENDS, _with_events_allowed_in_each(backends))


def missing_events(settings: Any) -> list[str]:
    """Our events that the allow-list does not contain."""
    allowed = getattr(settings, ALLOWED, ())
    return [event for event in EVENTS if event not in allowed]


def backends_to_xapi(settings: Any) -> list[str]:
    """Names of the tracking backends that lead to a learning record store."""
    backends = getattr(settings, BACKENDS, None) or {}
    return [name for name, backend in backends.items() if _leads_to_xapi(backend)]


def _with_ours(names: Iterable[str]) -> Any:
    if isinstance(names, set | frozenset):
        return names.union(EVENTS)
    return [*names, *(event for event in EVENTS if event not in names)]


def _with_events_allowed_in_each(backends: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _with_events_allowed(backend) if _leads_to_xapi(backend) else backend
        for name, backend in backends.items()
    }


def _leads_to_xapi(backend: Mapping[str, Any]) -> bool:
    """Can an event sent to this backend become an xAPI statement, in it or in a nested backend?"""
    options = backend.get("OPTIONS") or {}
    return any(processor.get("ENGINE") == _TO_XAPI for processor in options.get("processors") or ()) or any(
        _leads_to_xapi(nested) for nested in (options.get("backends") or {}).values()
    )


def _with_events_allowed(backend: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(backend["OPTIONS"])
    options["processors"] = [_with_events_whitelisted(processor) for processor in options.get("processors") or ()]
    if options.get("backends"):
        options["backends"] = _with_events_allowed_in_each(options["backends"])
    return {**backend, "OPTIONS": options}


def _with_events_whitelisted(processor: Mapping[str, Any]) -> Mapping[str, Any]:
    if processor.get("ENGINE") != _WHITELIST:
        return processor
    options = processor.get("OPTIONS") or {}
    return {**processor, "OPTIONS": {**options, "whitelist": _with_ours(options.get("whitelist") or ())}}
