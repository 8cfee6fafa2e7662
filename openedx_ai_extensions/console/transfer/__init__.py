"""Profiles, scopes and prompts as files: to keep them, to review them, and to take them to another site.

``export`` writes a file, ``read`` checks one, ``run_import`` rehearses or does what it says. Nothing is ever deleted.
"""

from openedx_ai_extensions.console.transfer.importing import Change, ImportStep, Plan, run_import
from openedx_ai_extensions.console.transfer.kinds import EntryKind, Format, TransferEntry
from openedx_ai_extensions.console.transfer.reading import read
from openedx_ai_extensions.console.transfer.writing import Export, export

__all__ = [
    "Change",
    "EntryKind",
    "Export",
    "Format",
    "ImportStep",
    "Plan",
    "TransferEntry",
    "export",
    "read",
    "run_import",
]
