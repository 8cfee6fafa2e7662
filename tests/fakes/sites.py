"""Settings of sites, as far as event tracking goes, and what their whitelists let through."""

from __future__ import annotations

from typing import Any

EVENT = "openedx.ai.workflow.completed"
EVENTS = [EVENT, *(f"openedx.ai.workflow.{word}" for word in ("initialized", "interacted", "rated", "reported"))]
ALLOWED = "EVENT_TRACKING_BACKENDS_ALLOWED_XAPI_EVENTS"
WHITELIST = "eventtracking.processors.whitelist.NameWhitelistProcessor"
TO_XAPI = "event_routing_backends.processors.xapi.transformer_processor.XApiProcessor"

# What a platform's settings hold when plugins add theirs.
SITE = """
LMS_ROOT_URL = "http://lms.example.com"
ENV_TOKENS = {}
EVENT_TRACKING_BACKENDS = {
    "tracking_logs": {
        "ENGINE": "eventtracking.backends.routing.RoutingBackend",
        "OPTIONS": {
            "backends": {"logger": {"ENGINE": "eventtracking.backends.logger.LoggerBackend"}},
            "processors": [{"ENGINE": "WHITELIST", "OPTIONS": {"whitelist": ["the.sites.own"]}}],
        },
    },
}
""".replace("WHITELIST", WHITELIST)


def router(whitelist: Any, **fields: Any) -> dict[str, Any]:
    processors = [{"ENGINE": WHITELIST, "OPTIONS": {"whitelist": whitelist}}, {"ENGINE": TO_XAPI, "OPTIONS": {}}]
    return {
        "ENGINE": "event_routing_backends.backends.sync_events_router.SyncEventsRouter",
        "OPTIONS": {"processors": processors, "backend_name": "xapi"},
        **fields,
    }


def operators_backends(whitelist: Any) -> dict[str, Any]:
    """Backends as an operator may have written them: another name, the event bus, and a route of no concern to us."""
    return {
        "event_bus": {
            "ENGINE": "eventtracking.backends.event_bus.EventBusRoutingBackend",
            "OPTIONS": {
                "backend_name": "event_bus",
                "processors": [{"ENGINE": WHITELIST, "OPTIONS": {"whitelist": whitelist}}],
                "backends": {
                    "statements": router(whitelist),
                    "logger": {"ENGINE": "eventtracking.backends.logger.LoggerBackend", "OPTIONS": {"name": "bus"}},
                },
            },
        },
        "segment": {
            "ENGINE": "eventtracking.backends.routing.RoutingBackend",
            "OPTIONS": {"processors": [{"ENGINE": WHITELIST, "OPTIONS": {"whitelist": ["edx.bi"]}}], "backends": {}},
        },
    }


def whitelists(backends: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Every whitelist by the path of its backend."""
    found = {}
    for name, backend in backends.items():
        options = backend.get("OPTIONS") or {}
        for processor in options.get("processors", []):
            if processor["ENGINE"] == WHITELIST:
                found[above + name] = processor["OPTIONS"]["whitelist"]
        found |= whitelists(options.get("backends", {}), f"{above}{name}/")
    return found


def admitting(backends: dict[str, Any]) -> set[str]:
    return {name for name, names in whitelists(backends).items() if EVENT in names}
