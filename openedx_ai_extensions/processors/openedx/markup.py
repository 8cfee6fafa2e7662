"""HTML to compact text that a language model reads well: structure kept, decoration gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count, repeat

from lxml import etree

_HEADINGS = {"h1": "## ", "h2": "## ", "h3": "## ", "h4": "### ", "h5": "### ", "h6": "### "}
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "details", "div", "fieldset",
        "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "main", "nav", "p", "section",
        "summary", "table", "tbody", "tfoot", "thead",
    }
)  # fmt: skip
_SILENT = frozenset(
    {
        "annotation", "annotation-xml", "audio", "base", "button", "canvas", "embed", "iframe", "link", "meta",
        "noscript", "object", "option", "script", "select", "style", "svg", "template", "textarea", "title", "video",
    }
)  # fmt: skip
_HIDDEN_CLASSES = frozenset({"hidden", "is-hidden", "d-none"})
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_EXPONENT = re.compile(r"[\d+\-\u2212\u2013n]+")
# Invisible characters that cost tokens; the joiners that some scripts need stay.
_INVISIBLE = dict.fromkeys((*range(9), *range(14, 32), 127, 173, 8203, 8288, 65279))


def html_text(markup: str) -> str:
    """Readable text of a piece of HTML: broken, hostile or empty markup gives what text can be found."""
    root = parse_html(markup)
    return "" if root is None else TextWriter().write(root)


def parse_html(markup: str) -> etree._Element | None:
    """The tree of a piece of HTML however broken; None when it holds nothing."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        return None


def squeeze(text: str) -> str:
    """One line, single spaces, nothing invisible."""
    return " ".join(text.translate(_INVISIBLE).split())


def local_name(element: etree._Element) -> str:
    """The element's tag in lower case, without its namespace."""
    return str(element.tag).rpartition("}")[2].lower()


def inner_text(element: etree._Element) -> str:
    """All text in an element, as it stands."""
    return "".join(str(part) for part in element.itertext())


class TextWriter:
    """Walks a tree once and writes its text line by line. A subclass adds elements of its own in ``enter``."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self._lists: list[Iterator[str]] = []
        self._rows: list[list[str]] = []
        self._lines_around_cells: list[list[str]] = []
        self._starts: list[int] = []
        self._pre_depth = 0

    def write(self, root: etree._Element) -> str:
        walk = etree.iterwalk(root, events=("start", "end"))
        skipped: etree._Element | None = None
        for event, element in walk:
            if event == "start":
                if not _is_hidden(element) and self.enter(element, local_name(element)):
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

    def text(self, text: str | None) -> None:
        if text:
            self._line.append(text)

    def break_line(self) -> None:
        """End the line, if it says anything. Within a table cell a break is a space."""
        if self._pre_depth:
            self._line.append("\n")
            return
        if self._lines_around_cells:
            self._line.append(" ")
            return
        line = squeeze("".join(self._line))
        self._line.clear()
        if line:
            self.lines.append(self._prefix + line)
            self._prefix = ""

    def begin_line(self, prefix: str) -> None:
        """Begin a line that opens with a mark, such as that of a heading. In a table cell there are no lines."""
        self.break_line()
        if not self._lines_around_cells:
            self._prefix = prefix

    def bullet(self, mark: str = "- ") -> None:
        """Begin an item of a list."""
        self.begin_line("  " * max(len(self._lists) - 1, 0) + mark)

    def end_line(self) -> None:
        """End the line; a mark that no text followed is dropped."""
        self.break_line()
        if not self._lines_around_cells:
            self._prefix = ""

    def enter(self, element: etree._Element, tag: str) -> bool:
        """Begin an element. False leaves it out with everything in it."""
        if tag in _HEADINGS:
            self.begin_line(_HEADINGS[tag])
        elif tag in _BLOCKS or tag == "dt":
            self.break_line()
        elif tag == "li":
            self.bullet(next(self._lists[-1]) if self._lists else "- ")
        elif tag in {"ul", "ol"}:
            self.break_line()
            self._lists.append((f"{number}. " for number in count(1)) if tag == "ol" else repeat("- "))
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th"}:
            self._lines_around_cells.append(self._line)
            self._line = []
        elif tag == "pre":
            self.break_line()
            self._pre_depth += 1
        elif tag in {"sup", "code"}:
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
        elif tag == "tr":
            self._end_row(self._rows.pop())
        elif tag in {"td", "th"}:
            self._end_cell()
        elif tag == "pre":
            self._end_pre()
        elif tag in {"sup", "code"}:
            self._end_span(tag, self._starts.pop())
        elif tag == "q":
            self.text("\u201d")

    def _enter_special(self, element: etree._Element, tag: str) -> bool:
        """Elements that say something other than their text."""
        if tag == "img":
            alternative = squeeze(element.get("alt") or "")
            self.text(f" [Image: {alternative}] " if alternative else " ")
            return False
        if tag == "math" or (tag == "script" and (element.get("type") or "").startswith("math/tex")):
            formula = _formula(element, tag)
            self.text(f" \\({formula}\\) " if formula else None)
            return not formula and tag == "math"
        return tag not in _SILENT

    def _end_cell(self) -> None:
        cell = squeeze("".join(self._line))
        self._line = self._lines_around_cells.pop()
        if self._rows:
            self._rows[-1].append(cell)
        else:
            self.text(f" {cell} ")

    def _end_row(self, cells: list[str]) -> None:
        self.break_line()
        if any(cells):
            self.text(" | ".join(cells))
            self.break_line()

    def _end_pre(self) -> None:
        self._pre_depth -= 1
        if self._pre_depth or self._lines_around_cells:
            return
        code = "".join(self._line).translate(_INVISIBLE).strip("\r\n")
        self._line.clear()
        if code.strip():
            self.lines.append(f"```\n{code}\n```")

    def _end_span(self, tag: str, start: int) -> None:
        if self._pre_depth:
            return
        span = squeeze("".join(self._line[start:]))
        if tag == "code" and span:
            self._line[start:] = [f"`{span}`"]
        elif tag == "sup" and _EXPONENT.fullmatch(span):
            self._line[start:] = [f"^{span}"]


def _is_hidden(element: etree._Element) -> bool:
    attributes = element.attrib
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or element.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(element.get("style") or "") is not None
        or not _HIDDEN_CLASSES.isdisjoint((element.get("class") or "").split())
    )


def _formula(element: etree._Element, tag: str) -> str:
    """TeX of a formula, empty when it does not carry any."""
    if tag == "script":
        return squeeze(inner_text(element))
    for part in element.iter():
        if local_name(part) == "annotation" and "tex" in (part.get("encoding") or "").lower():
            return squeeze(inner_text(part))
    return squeeze(element.get("alttext") or "")
