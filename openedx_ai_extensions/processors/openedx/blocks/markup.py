"""Converts HTML to compact text for a language model: structure is kept, decoration removed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import repeat

from lxml import etree

from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.parsing import (
    Table,
    alternative_text,
    clean,
    formula_text,
    index_text,
    inner_text,
    list_markers,
    local_name,
    parse_html,
    squeeze,
    visible,
)

_HEADINGS = {"h1": "## ", "h2": "## ", "h3": "## ", "h4": "### ", "h5": "### ", "h6": "### "}
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "details", "div", "fieldset",
        "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "main", "p", "section", "summary",
        "tbody", "tfoot", "thead",
    }
)  # fmt: skip
_SILENT = frozenset(
    {
        "annotation", "annotation-xml", "audio", "base", "button", "canvas", "embed", "iframe", "link", "meta", "nav",
        "noscript", "object", "option", "script", "select", "style", "template", "textarea", "title", "video",
    }
)  # fmt: skip
_STRUCK = frozenset({"del", "s", "strike"})
_SPANS = frozenset({"sub", "sup", "code"}) | _STRUCK
_WORD = re.compile(r"[^\W_]")
_MARKUP = re.compile(r"<[a-zA-Z/!]|&[a-zA-Z#]")
_STUDIO_MATHS = {"[mathjaxinline]": r"\(", "[/mathjaxinline]": r"\)", "[mathjax]": r"\[", "[/mathjax]": r"\]"}
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
MAX_INDENTED_LEVELS = 8  # of lists; deeper items are at the last level
# Of cells that span rows or columns, per document: tables in tables would multiply each other's text.
MAX_REPEATED_CHARS = 20_000


def html_text(markup: str, omissions: set[OmissionReason] | None = None) -> str:
    """The readable text of HTML, which may be broken, hostile or empty.

    Args:
        markup: the HTML.
        omissions: the reasons for omitted parts are added to this set.
    """
    root = parse_html(markup, set() if omissions is None else omissions)
    return "" if root is None else TextWriter(omissions).write(root)


def rich_text(text: str, omissions: set[OmissionReason] | None = None) -> str:
    """The readable text of HTML or, without any tag, of plain text or Markdown, whose lines are kept."""
    if _MARKUP.search(text):
        return html_text(text, omissions)
    return _plain_text(clean(text, set() if omissions is None else omissions))


def _plain_text(text: str) -> str:
    """The lines that are not empty, with their indentation."""
    lines = textwrap.dedent(visible(text)).splitlines()
    return "\n".join(line[: len(line) - len(line.lstrip())] + _tidy(line) for line in lines if line.strip()).strip("\n")


class TextWriter:
    """Walks a tree once and writes its text line by line. A subclass handles further elements in ``enter``.

    Args:
        omissions: the reasons for omitted parts are added to this set.
    """

    def __init__(self, omissions: set[OmissionReason] | None = None) -> None:
        self.lines: list[str] = []
        self._omissions = set() if omissions is None else omissions
        self._line: list[str] = []
        self._prefix = ""
        self._lists: list[Iterator[str]] = []
        # None for a layout table.
        self._tables: list[Table | None] = []
        self._repeatable_chars = MAX_REPEATED_CHARS
        self._lines_around_cells: list[list[str]] = []
        self._starts: list[int] = []
        self._pre_depth = 0

    def write(self, root: etree._Element) -> str:
        """The text of a tree."""
        walk = etree.iterwalk(root, events=("start", "end"))
        skipped: etree._Element | None = None
        for event, element in walk:
            if event == "start":
                if self._begin(element):
                    self.text(element.text)
                else:
                    skipped = element
                    walk.skip_subtree()
                continue
            if element is skipped:
                skipped = None
            else:
                self.leave(element, local_name(element))
            if element is not root:
                self.text(element.tail)
        self.break_line()
        return "\n".join(self.lines)

    def _begin(self, element: etree._Element) -> bool:
        """Start an element. False omits it with its content, because it is hidden or redundant."""
        if _is_redundant(element):
            return False
        if _is_hidden(element):
            if _has_words(element):
                self._omissions.add(OmissionReason.HIDDEN)
            return False
        sign = _icon(element)
        if sign is not None:
            self.text(f" {sign} ")
            return False
        return self.enter(element, local_name(element))

    def text(self, text: str | None) -> None:
        """Append text to the line."""
        if text:
            self._line.append(text)

    def break_line(self) -> None:
        """End the line, if it has text. Inside a table cell, a break is a space."""
        if self._pre_depth:
            self._line.append("\n")
            return
        if self._lines_around_cells:
            self._line.append(" ")
            return
        line = _tidy("".join(self._line))
        self._line.clear()
        if line:
            self.lines.append(self._prefix + line)
            self._prefix = ""

    def begin_line(self, prefix: str) -> None:
        """Start a line with a prefix, such as that of a heading. Table cells have no lines."""
        self.break_line()
        if not self._lines_around_cells:
            self._prefix = prefix

    def bullet(self, mark: str = "- ") -> None:
        """Start a list item."""
        self.begin_line("  " * min(max(len(self._lists) - 1, 0), MAX_INDENTED_LEVELS) + mark)

    def end_line(self) -> None:
        """End the line; a prefix without text is dropped."""
        self.break_line()
        if not self._lines_around_cells:
            self._prefix = ""

    def code(self, text: str) -> None:
        """Add text whose line breaks and spaces are significant."""
        code = "\n".join(line.rstrip() for line in visible(text).splitlines()).strip("\n")
        if code:
            self.lines.append(f"```\n{code}\n```")

    def enter(self, element: etree._Element, tag: str) -> bool:
        """Start an element. False omits it with its content."""
        if tag in _HEADINGS:
            self.begin_line(_HEADINGS[tag])
        elif tag in _BLOCKS or tag == "dt":
            self.break_line()
        elif tag == "li":
            self.bullet(next(self._lists[-1]) if self._lists else "- ")
        elif tag in {"ul", "ol"}:
            self.break_line()
            self._lists.append(list_markers(element) if tag == "ol" else repeat("- "))
        elif tag in {"table", "tr", "td", "th"}:
            self._enter_table(element, tag)
        elif tag == "pre":
            self.break_line()
            self._pre_depth += 1
        elif tag in _SPANS:
            self._starts.append(len(self._line))
        elif tag == "q":
            self.text("\u201c")
        else:
            return self._enter_special(element, tag)
        return True

    def leave(self, element: etree._Element, tag: str) -> None:
        """End an element that was entered."""
        if tag in _HEADINGS or tag in {"li", "dd"}:
            self.end_line()
        elif tag in _BLOCKS and tag != "br":
            self.break_line()
        elif tag == "dt":
            self._line = [squeeze("".join(self._line)), ": "]
        elif tag in {"ul", "ol"}:
            self.break_line()
            self._lists.pop()
        elif tag in {"table", "tr", "td", "th"}:
            self._leave_table(element, tag)
        elif tag == "pre":
            self._end_pre()
        elif tag in _SPANS:
            self._end_span(tag, self._starts.pop())
        elif tag == "q":
            self.text("\u201d")

    def _enter_special(self, element: etree._Element, tag: str) -> bool:
        """Elements that are read differently from their text."""
        if tag in {"img", "svg"} or element.get("role") == "img":
            words = alternative_text(element, tag)
            self.text(f" [Image: {words}] " if words else " ")
            return False
        if tag == "math":
            tex = formula_text(element)
            self.text(f" \\({tex}\\) " if tex else None)
            return False
        if tag == "script" and (element.get("type") or "").startswith("math/tex"):
            self.text(f" \\({squeeze(inner_text(element))}\\) ")
            return False
        return tag not in _SILENT

    def _enter_table(self, element: etree._Element, tag: str) -> None:
        if tag == "table":
            self.break_line()
            self._tables.append(None if element.get("role") in {"presentation", "none"} else Table(self._may_repeat))
            return
        if not self._tables:
            self._tables.append(Table(self._may_repeat))
        table = self._tables[-1]
        if table is None:
            self.break_line()
        elif tag == "tr":
            table.begin_row()
        else:
            self._lines_around_cells.append(self._line)
            self._line = []

    def _leave_table(self, element: etree._Element, tag: str) -> None:
        table = self._tables[-1]
        if tag == "table":
            self._tables.pop()
            self.break_line()
        elif table is None:
            self.break_line()
        elif tag == "tr":
            self.break_line()
            self.text(table.end_row())
            self.break_line()
        else:
            cell = _tidy("".join(self._line))
            self._line = self._lines_around_cells.pop()
            if table.in_row:
                table.add(cell, element.get("colspan"), element.get("rowspan"))
            else:
                self.text(f" {cell} ")

    def _may_repeat(self, chars: int) -> bool:
        """Is there room for one more entry of a cell that spans rows or columns? Counts it."""
        self._repeatable_chars -= chars
        return self._repeatable_chars >= 0

    def _end_pre(self) -> None:
        self._pre_depth -= 1
        if not self._pre_depth and not self._lines_around_cells:
            code = "".join(self._line)
            self._line.clear()
            self.code(code)

    def _end_span(self, tag: str, start: int) -> None:
        span = squeeze("".join(self._line[start:]))
        if self._pre_depth or not span:
            return
        if tag == "code":
            self._line[start:] = [f"`{span}`"]
        elif tag in _STRUCK:
            self._line[start:] = [f"~~{span}~~"]
        else:
            before = self._line[start - 1][-1:] if start else ""
            self._line[start:] = [index_text(tag, before, span)]


def _has_words(element: etree._Element) -> bool:
    """Does an element contain readable text?"""
    walk = etree.iterwalk(element, events=("start",))
    for _event, part in walk:
        if part is not element and _WORD.search(part.tail or ""):
            return True
        if local_name(part) in _SILENT or local_name(part) == "svg" or _is_redundant(part) or _icon(part) is not None:
            walk.skip_subtree()
        elif _WORD.search(part.text or ""):
            return True
    return False


def _tidy(text: str) -> str:
    """One line, with short delimiters around formulas."""
    line = squeeze(text)
    if "mathjax" in line:
        for mark, short in _STUDIO_MATHS.items():
            line = line.replace(mark, short)
    return line


def _icon(element: etree._Element) -> str | None:
    """The text for an element that a font shows as an icon: a sign, its label, or nothing. None for other elements."""
    if not _ICON_FONT.search(element.get("class") or ""):
        return None
    name = squeeze(inner_text(element))
    if not _ICON_NAME.fullmatch(name):
        return None
    label = squeeze(element.get("aria-label") or "")
    return f"[Image: {label}]" if label else _ICON_MARKS.get(name, "")


def _is_redundant(element: etree._Element) -> bool:
    """Is it only navigation, or a duplicate of other content?"""
    return element.get("role") == "navigation" or not _DRAWN_CLASSES.isdisjoint(_classes(element))


def _is_hidden(element: etree._Element) -> bool:
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
