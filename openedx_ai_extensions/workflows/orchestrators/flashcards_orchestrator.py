"""Former module name of ``flashcards``, imported by extensions and templates."""

from openedx_ai_extensions.workflows.orchestrators.flashcards import FlashCardsOrchestrator

__all__ = ["FlashCardsOrchestrator"]
