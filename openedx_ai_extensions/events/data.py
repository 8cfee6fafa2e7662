"""Where other packages import the event's data from; see ``signals``."""

from openedx_ai_extensions.events.signals import AIOrchestrationData as AIOrchestrationRequestData

__all__ = ["AIOrchestrationRequestData"]
