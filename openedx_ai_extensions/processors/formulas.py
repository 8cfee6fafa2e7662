r"""Finds formulas and code in a text: between ``\(`` and ``\)``, dollar signs, ``<code>`` tags, and so on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A row break "\\" and a dollar sign "\$" come first: the second half of "\\[2pt]" does not open a formula.
_DELIMITER = re.compile(
    r"\\[\\$]|\\[()\[\]]|\\(?:begin|end)\{[A-Za-z]+\*?\}|\$\$?"
    r"|<(?i:pre|code)\b[^<>]*>|</(?i:pre|code)>|\[/?mathjax(?:inline)?\]"
)
_TAG = re.compile("<(pre|code)", re.IGNORECASE)
_PAIRS = {
    r"\(": r"\)", r"\[": r"\]", "$$": "$$", "[mathjax]": "[/mathjax]", "[mathjaxinline]": "[/mathjaxinline]",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """A formula or a piece of code.

    Attributes:
        start, end: position of the span in the text, including its delimiters.
        opening: the opening delimiter, such as ``\\(`` or ``<code>``.
    """

    start: int
    end: int
    opening: str

    @property
    def is_code(self) -> bool:
        return self.opening.startswith("<")


def find_spans(text: str) -> Iterator[Span]:
    """The formulas and the pieces of code in a text, in order. Nested ones are omitted.

    A single dollar sign delimits a formula by Pandoc's rule, which excludes most prices: no space after the opening
    one, none before the closing one, and no digit after the closing one.
    """
    delimiters = list(_DELIMITER.finditer(text))
    closings = [_closing(delimiter) for delimiter in delimiters]
    last = {closing: index for index, closing in enumerate(closings)}
    index = 0
    while index < len(delimiters):
        opening = delimiters[index]
        wanted = _closing_of(opening)
        # Avoids quadratic time on a text with many openings and no closing.
        if wanted is not None and last.get(wanted, -1) > index:
            index = closings.index(wanted, index + 1)
            yield Span(opening.start(), delimiters[index].end(), opening[0])
        index += 1


def _closing_of(opening: re.Match[str]) -> str | None:
    """The delimiter that closes this one; None if it does not open anything."""
    delimiter = opening[0]
    if delimiter == "$":
        after = opening.string[opening.end() : opening.end() + 1]
        return delimiter if after.strip() else None
    if delimiter.startswith("\\begin"):
        return delimiter.replace("begin", "end", 1)
    if delimiter.startswith("<"):
        tag = _TAG.match(delimiter)
        return f"</{tag[1].lower()}>" if tag else None
    return _PAIRS.get(delimiter)


def _closing(delimiter: re.Match[str]) -> str | None:
    """The delimiter in the form of ``_closing_of``; None if it cannot close anything."""
    text = delimiter[0]
    if text == "$":
        before = delimiter.string[max(delimiter.start() - 1, 0) : delimiter.start()]
        after = delimiter.string[delimiter.end() : delimiter.end() + 1]
        return text if before.strip() and not after.isdigit() else None
    return text.lower() if text.startswith("</") else text
