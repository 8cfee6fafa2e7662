"""Markup that changes the meaning of text: list markers, indices, formulas, images, hidden elements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from lxml import etree

from openedx_ai_extensions.processors.openedx.blocks.parsing import inner_text, local_name, squeeze

# MathJax's output, which is next to its source.
_DRAWN_CLASSES = frozenset({"MathJax", "MathJax_Preview", "MathJax_Display", "MathJax_SVG", "MathJax_CHTML"})
_HIDDEN_CLASSES = frozenset({"hidden", "is-hidden", "d-none"})
_HIDDEN_STYLE = re.compile(r"display\s*+:\s*+none|visibility\s*+:\s*+(?:hidden|collapse)", re.IGNORECASE)
# Fonts that draw an icon in place of its name: <i class="material-icons">menu_book</i>.
_ICON_FONT = re.compile(r"material-(?:icons|symbols)\b")
_ICON_NAME = re.compile(r"[a-z\d_]*")
# In tables, these two icons often contain the information of a row.
_ICON_MARKS = {
    **dict.fromkeys(("check", "check_box", "check_circle", "done", "task_alt"), "\u2713"),
    **dict.fromkeys(("cancel", "clear", "close", "disabled_by_default"), "\u2717"),
}
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?)", re.IGNORECASE)
# Raised suffixes of numbers and names in several languages, which are not exponents.
_ENDINGS = frozenset({"st", "nd", "rd", "th", "er", "re", "e", "ème", "eme", "o", "a", "os", "as", "tm", "sm", "mo"})
_INDEX = re.compile(r"[\w+\-\u2212\u2013*/=,.()]{1,12}")
_STUDIO_MATHS = {"[mathjaxinline]": r"\(", "[/mathjaxinline]": r"\)", "[mathjax]": r"\[", "[/mathjax]": r"\]"}


def tidy(text: str) -> str:
    """One line, with short delimiters around formulas."""
    line = squeeze(text)
    if "mathjax" in line:
        for mark, short in _STUDIO_MATHS.items():
            line = line.replace(mark, short)
    return line


def index(tag: str, before: str, span: str) -> str:
    """A superscript or subscript: marked if it changes the meaning, as in x^2, but not in 10th or H2O."""
    if not _INDEX.fullmatch(span) or not (before.isalnum() or before in {")", "]"}):
        return span
    if tag == "sub" and (span.isdigit() or len(span) > 3):
        return span
    if tag == "sup" and span.casefold() in _ENDINGS and (before.isdigit() or len(span) > 1):
        return span
    mark = "^" if tag == "sup" else "_"
    return (
        f"{mark}{span}" if re.fullmatch(r"[+\-\u2212\u2013]?\w+[+\-\u2212]?|[+\-*\u2212]", span) else f"{mark}({span})"
    )


def numbers(element: etree._Element) -> Iterator[str]:
    """The markers of a numbered list, with the start and type of the list."""
    start = element.get("start") or ""
    first = int(start) if re.fullmatch(r"-?\d{1,6}", start, re.ASCII) else 1
    kind = element.get("type") or ""
    if kind in {"a", "A"} and 1 <= first <= 26:
        letters = (chr(ord(kind) + number) for number in range(first - 1, 26))
        yield from (f"{letter}. " for letter in letters)
        first = 27
    yield from (f"{number}. " for number in count(first))


def alternative(element: etree._Element, tag: str) -> str:
    """The alternative text of an image; empty if there is none or it is a file name."""
    words = squeeze(_words(element, tag))
    return "" if _FILE_NAME.fullmatch(words) else words


def _words(element: etree._Element, tag: str) -> str:
    words = element.get("alt") or element.get("aria-label") or ""
    if words or tag == "img":
        return words
    title = next((part for part in element if local_name(part) == "title"), None)
    return inner_text(title) if title is not None else ""


def icon(element: etree._Element) -> str | None:
    """The text for an element that a font shows as an icon: a sign, its label, or nothing. None for other elements."""
    if not _ICON_FONT.search(element.get("class") or ""):
        return None
    name = squeeze(inner_text(element))
    if not _ICON_NAME.fullmatch(name):
        return None
    label = squeeze(element.get("aria-label") or "")
    return f"[Image: {label}]" if label else _ICON_MARKS.get(name, "")


def is_redundant(element: etree._Element) -> bool:
    """Is it only navigation, or a duplicate of other content?"""
    return element.get("role") == "navigation" or not _DRAWN_CLASSES.isdisjoint(_classes(element))


def is_hidden(element: etree._Element) -> bool:
    """Is it hidden from people who see the page, or from screen readers?"""
    attributes = element.attrib
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or element.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(element.get("style") or "") is not None
        or not _HIDDEN_CLASSES.isdisjoint(_classes(element))
    )


def _classes(element: etree._Element) -> list[str]:
    return (element.get("class") or "").split()
