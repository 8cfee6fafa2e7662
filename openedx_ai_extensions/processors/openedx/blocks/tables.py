"""Rows of a table as lines, with an entry for each row and column that a cell spans."""

from __future__ import annotations

_MAX_COLUMNS = 100
_SEPARATOR = " | "
MAX_REPEATED_CHARS = 20_000  # of one document: tables in tables would multiply each other's text


class Repetitions:
    """How much a document's text may grow by cells that span rows or columns."""

    def __init__(self) -> None:
        self._left = MAX_REPEATED_CHARS

    def allow(self, text: str) -> bool:
        """Count one more entry for a spanning cell. False if there is no room for it."""
        self._left -= len(text) + len(_SEPARATOR)
        return self._left >= 0


class Table:
    """Collects the cells of a table, row by row.

    Args:
        repetitions: shared by all tables of a document.
    """

    def __init__(self, repetitions: Repetitions) -> None:
        self._repetitions = repetitions
        self.in_row = False
        self._cells: list[str] = []
        # By column: the text of a cell that spans further rows, and their number.
        self._from_above: dict[int, tuple[str, int]] = {}

    def begin_row(self) -> None:
        self.in_row = True
        self._cells = []

    def add(self, text: str, columns: str | None = None, rows: str | None = None) -> None:
        """Add a cell. Its text appears once in each row, in the first column that it spans."""
        self._fill()
        width, height = _span(columns), _span(rows)
        for offset in range(width):
            told = "" if offset else text
            if offset and not self._repetitions.allow(told):
                return
            if height > 1:
                self._from_above[len(self._cells)] = (told, height - 1)
            if len(self._cells) < _MAX_COLUMNS:
                self._cells.append(told)

    def end_row(self) -> str:
        """The row as a line; empty if all cells are empty."""
        self.in_row = False
        said = any(self._cells)
        self._fill()
        return _SEPARATOR.join(self._cells) if said else ""

    def _fill(self) -> None:
        while (column := len(self._cells)) in self._from_above and column < _MAX_COLUMNS:
            text, rows = self._from_above.pop(column)
            if not self._repetitions.allow(text):
                self._from_above.clear()
                return
            if rows > 1:
                self._from_above[column] = (text, rows - 1)
            self._cells.append(text)


def _span(value: str | None) -> int:
    # "0" means to the end of the table; other values may be invalid.
    if not value or not value.isascii() or not value.isdigit():
        return 1
    return max(1, int(value)) if len(value) < 3 else _MAX_COLUMNS
