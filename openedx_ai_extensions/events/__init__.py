"""Receives events of other services (from the event bus) and signals of the platform."""

from openedx_ai_extensions.events.signals import AI_ORCHESTRATION_REQUESTED, AIOrchestrationData

__all__ = ["AI_ORCHESTRATION_REQUESTED", "AIOrchestrationData"]
