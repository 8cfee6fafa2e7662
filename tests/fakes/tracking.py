"""Event-tracking backends and processors that keep, or lose, what is sent to them."""

from __future__ import annotations

from typing import Any, ClassVar


class RecordingBackend:
    """Keeps the events that reach it."""

    events: ClassVar[list[dict[str, Any]]] = []

    def send(self, event: dict[str, Any]) -> None:
        self.events.append(event)


class BrokenBackend:
    def send(self, event: dict[str, Any]) -> None:
        raise RuntimeError(f"{event['name']} is too much")


class BrokenProcessor:
    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError(f"{event['name']} is too much")
