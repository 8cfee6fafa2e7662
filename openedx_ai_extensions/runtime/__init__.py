"""Runs workflows: for requests, events and background workers, and as a dry run."""

from openedx_ai_extensions.runtime import execution, worker

__all__ = ["execution", "worker"]
