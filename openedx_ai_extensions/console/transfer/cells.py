"""Cells that no spreadsheet takes for formulas, and back."""

from __future__ import annotations

from openedx_ai_extensions.reports.tables import FORMULA

QUOTE = "'"
GUARDED = (*FORMULA, QUOTE)


def guarded(text: str) -> str:
    """A cell that a spreadsheet shows as it is, and does not run."""
    return f"{QUOTE}{text}" if text.startswith(GUARDED) else text


def unguarded(cell: str) -> str:
    """What was in a cell before ``guarded``."""
    return cell[1:] if cell.startswith(QUOTE) and cell[1:].startswith(GUARDED) else cell
