"""Recognises passages that a person selected on a page of the course in the text that is read of it."""

from __future__ import annotations

PART_CHARS = 6  # of a passage that are looked up at once
MIN_SHARE = 0.5  # of the parts: formulas, tables and pictures look different on the page


def contains_passage(text: str, passage: str) -> bool:
    """Is the passage in the text, apart from small differences? Only letters and digits count."""
    text, passage = _letters(text), _letters(passage)
    if len(passage) < PART_CHARS:
        return bool(passage) and passage in text
    parts = _parts(passage)
    return len(parts & _parts(text)) >= MIN_SHARE * len(parts)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _parts(letters: str) -> set[str]:
    return {letters[start : start + PART_CHARS] for start in range(len(letters) - PART_CHARS + 1)}
