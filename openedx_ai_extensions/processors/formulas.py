r"""Where formulas and code stand in a text: between ``\(`` and ``\)``, dollar signs, ``<code>`` tags, and so on."""

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
        start, end: of the span in the text, with its delimiters.
        opening: the delimiter that it starts with, such as ``\\(`` or ``<code>``.
    """

    start: int
    end: int
    opening: str

    @property
    def is_code(self) -> bool:
        return self.opening.startswith("<")


def find_spans(text: str) -> Iterator[Span]:
    """The formulas and the pieces of code of a text in their order. What is inside another one is left out.

    A single dollar sign delimits a formula by Pandoc's rule, which leaves most prices alone: no space after the first,
    none before the last, and no digit after the last.
    """
    delimiters = list(_DELIMITER.finditer(text))
    closings = [_closing(delimiter) for delimiter in delimiters]
    last = {closing: index for index, closing in enumerate(closings)}
    index = 0
    while index < len(delimiters):
        opening = delimiters[index]
        wanted = _closing_of(opening)
        # This keeps a text of many openings and no closing from taking quadratic time.
        if wanted is not None and last.get(wanted, -1) > index:
            index = closings.index(wanted, index + 1)
            yield Span(opening.start(), delimiters[index].end(), opening[0])
        index += 1


def _closing_of(opening: re.Match[str]) -> str | None:
    """The delimiter that ends what this one opens; None when it opens nothing."""
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
    """The delimiter as ``_closing_of`` gives it; None where it can end nothing."""
    text = delimiter[0]
    if text == "$":
        before = delimiter.string[max(delimiter.start() - 1, 0) : delimiter.start()]
        after = delimiter.string[delimiter.end() : delimiter.end() + 1]
        return text if before.strip() and not after.isdigit() else None
    return text.lower() if text.startswith("</") else text
