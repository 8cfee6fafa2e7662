"""Tutor plugin for openedx-ai-extensions."""
