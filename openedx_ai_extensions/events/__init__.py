"""Doors for other services (the event bus) and for the platform's own signals."""

from openedx_ai_extensions.events.signals import AI_ORCHESTRATION_REQUESTED, AIOrchestrationData

__all__ = ["AI_ORCHESTRATION_REQUESTED", "AIOrchestrationData"]
