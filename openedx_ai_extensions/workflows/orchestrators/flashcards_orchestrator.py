"""Where other packages, and templates, know what is in ``flashcards``."""

from openedx_ai_extensions.workflows.orchestrators.flashcards import FlashCardsOrchestrator

__all__ = ["FlashCardsOrchestrator"]
