"""Profiles, scopes and prompts as files, for backup, review, and other sites.

``export`` writes a file, ``read`` validates one, ``run_import`` applies it or shows what it would do. Nothing is ever
deleted.
"""

from openedx_ai_extensions.console.transfer.entries import EntryKind, Format, export
from openedx_ai_extensions.console.transfer.importing import Change, Plan, run_import
from openedx_ai_extensions.console.transfer.reading import read

__all__ = ["Change", "EntryKind", "Format", "Plan", "export", "read", "run_import"]
