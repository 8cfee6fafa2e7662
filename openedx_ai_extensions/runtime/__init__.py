"""Runs workflows: for requests, events and background tasks, and as dry runs."""

from openedx_ai_extensions.runtime import worker
from openedx_ai_extensions.runtime.runner import admit, run

__all__ = ["admit", "run", "worker"]
