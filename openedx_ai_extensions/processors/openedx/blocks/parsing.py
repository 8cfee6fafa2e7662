"""Reads untrusted markup and fields of blocks: trees and texts of limited size, and the text of special elements (rows
of tables, markers of lists, indices, images, and formulas as TeX).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count, islice
from typing import Any

from lxml import etree

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.edxapp.safe_parsing import parse_json
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason

MAX_MARKUP_CHARS = 300_000  # per block; a long chapter of a book has a third of this
_MAX_ITEMS = 500  # of a list in a field

# Characters of icon fonts.
_PRIVATE_USE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
# Invisible characters, which cost tokens; joiners that some scripts need are kept.
_INVISIBLE = dict.fromkeys((*range(9), *range(14, 32), 127, 173, 8203, 8288, 65279))
_UNPARSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")
_EMBEDDED = re.compile(r";base64,[A-Za-z0-9+/=\s]{100,}+")
_LONG_VALUE = re.compile(r"""=\s*+(?:"[^"]{5000,}+"|'[^']{5000,}+')""")
_HIDING = re.compile(r"hidden|display|visibility|none|MathJax|detailed-solution")
_SILENT_ELEMENT = re.compile(r"<(script|style|template|noscript|iframe|svg)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.I)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*+>")
_LINE_TAGS = re.compile(r"(?:</?(?:br|dd|div|dt|h[1-6]|li|ol|p|table|td|tr|ul)\b[^<>]*+>\s*+)+", re.I)

_MAX_COLUMNS = 100
_SEPARATOR = " | "

_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?)", re.IGNORECASE)
# Raised suffixes of numbers and names in several languages, which are not exponents.
_ENDINGS = frozenset({"st", "nd", "rd", "th", "er", "re", "e", "ème", "eme", "o", "a", "os", "as", "tm", "sm", "mo"})
_INDEX = re.compile(r"[\w+\-\u2212\u2013*/=,.()]{1,12}")

_MAX_FORMULA_LEVELS = 40
_SYMBOLS = {
    "\u2212": "-", "\u2062": "", "\u2061": "", "\u2063": "", "\u2064": "", "\u00a0": " ",
}  # fmt: skip
_SCRIPTS = {
    "msup": "{0}^{1}",
    "msub": "{0}_{1}",
    "msubsup": "{0}_{1}^{2}",
    "mover": "{0}^{1}",
    "munder": "{0}_{1}",
    "munderover": "{0}_{1}^{2}",
}
_ACCENTS = {"\u00af": "overline", "\u203e": "overline", "_": "underline", "\u2192": "vec", "^": "hat", "\u02c6": "hat"}
_FORMULA_SILENT = frozenset({"annotation", "annotation-xml", "mphantom", "mspace", "none", "mprescripts"})


def clean(markup: str, omissions: set[OmissionReason]) -> str:
    """Remove characters that parsers do not accept and embedded files, and limit the length."""
    markup = _UNPARSABLE.sub("", markup)
    if len(markup) > MAX_MARKUP_CHARS:
        markup = _LONG_VALUE.sub('=""', _EMBEDDED.sub("", markup))
    if len(markup) > MAX_MARKUP_CHARS:
        omissions.add(OmissionReason.TOO_LONG)
        markup = markup[:MAX_MARKUP_CHARS]
        if markup.rfind("<") > markup.rfind(">"):
            markup = markup[: markup.rindex("<")]
    return markup


def parse_html(markup: str, omissions: set[OmissionReason]) -> etree._Element | None:
    """The tree of HTML, which may be broken; None if it is empty.

    The parser stops at markup that is nested too deep, such as that of word processors with unclosed tags. Such markup
    is read as plain text instead, unless it hides something.
    """
    markup = clean(markup, omissions)
    root, is_too_deep = _parse(markup)
    if is_too_deep:
        omissions.add(OmissionReason.TOO_LONG)
        if not _HIDING.search(markup):
            lines = _LINE_TAGS.sub("\0", _SILENT_ELEMENT.sub("", markup))
            flat, _is_too_deep = _parse(_TAG.sub("", lines).replace("\0", "<br/>"))
            return root if flat is None else flat
    return root


def _parse(markup: str) -> tuple[etree._Element | None, bool]:
    """The root, and whether the markup is nested too deep."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except etree.LxmlError:
        root = None
    return root, any("depth" in entry.message for entry in parser.error_log.filter_from_fatals())


def squeeze(text: str) -> str:
    """One line with single spaces, without invisible characters and icons."""
    return " ".join(visible(text).split())


def visible(text: str) -> str:
    """The text without invisible characters, and with spaces in place of icons."""
    if not text.isascii():
        text = _PRIVATE_USE.sub(" ", text)
    return text.translate(_INVISIBLE)


def local_name(element: etree._Element) -> str:
    """The element's tag in lower case, without its namespace."""
    return str(element.tag).rpartition("}")[2].lower()


def inner_text(element: etree._Element) -> str:
    """All text in an element, unchanged."""
    return "".join(str(part) for part in element.itertext())


def string(block: Block, name: str) -> str:
    """A text field; empty if it is not a text."""
    value = block.fields.get(name)
    return value if isinstance(value, str) else ""


def structure(block: Block, name: str, omissions: set[OmissionReason]) -> Any:
    """A structured field, also if an export contains it as JSON; None otherwise."""
    value = block.fields.get(name)
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        if len(value) > MAX_MARKUP_CHARS:
            raise ValueError("too long")
        return parse_json(value)
    except ValueError:
        omissions.add(OmissionReason.BROKEN)
        return None


def items(value: Any) -> Iterator[Any]:
    """The items of a list, up to a limit; none if it is not a list."""
    return islice(value if isinstance(value, (list, tuple)) else (), _MAX_ITEMS)


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a list."""
    return (item for item in items(value) if isinstance(item, Mapping))


def text_in(mapping: Any, name: str) -> str:
    """A text in an object; empty if there is none."""
    value = mapping.get(name) if isinstance(mapping, Mapping) else None
    return value if isinstance(value, str) else ""


def titled(kind: str, title: str, *texts: str) -> str:
    """Texts under a line with their kind and title; empty if there is no content."""
    title = squeeze(title)
    if title.casefold() == kind.casefold():
        title = ""
    if not title and not any(texts):
        return ""
    return lines((f"{kind}: {title}" if title else f"{kind}:", *texts))


def lines(texts: Iterable[str]) -> str:
    """The texts that are not empty, one per line."""
    return "\n".join(filter(None, texts))


def joined(separator: str, *texts: str) -> str:
    """The texts that are not empty, in one line."""
    return separator.join(filter(None, map(squeeze, texts)))


class Table:
    """Collects the cells of a table, row by row. Cells that span rows or columns have an entry for each.

    Args:
        may_repeat: called with the length of each further entry of a cell; returns whether there is room for it.
    """

    def __init__(self, may_repeat: Callable[[int], bool]) -> None:
        self._may_repeat = may_repeat
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
            if offset and not self._may_repeat(len(told) + len(_SEPARATOR)):
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
            if not self._may_repeat(len(text) + len(_SEPARATOR)):
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


def index_text(tag: str, before: str, span: str) -> str:
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


def list_markers(element: etree._Element) -> Iterator[str]:
    """The markers of a numbered list, with the start and type of the list."""
    start = element.get("start") or ""
    first = int(start) if re.fullmatch(r"-?\d{1,6}", start, re.ASCII) else 1
    kind = element.get("type") or ""
    if kind in {"a", "A"} and 1 <= first <= 26:
        letters = (chr(ord(kind) + number) for number in range(first - 1, 26))
        yield from (f"{letter}. " for letter in letters)
        first = 27
    yield from (f"{number}. " for number in count(first))


def alternative_text(element: etree._Element, tag: str) -> str:
    """The alternative text of an image; empty if there is none or it is a file name."""
    words = element.get("alt") or element.get("aria-label") or ""
    if not words and tag != "img":
        words = next((inner_text(part) for part in element if local_name(part) == "title"), "")
    words = squeeze(words)
    return "" if _FILE_NAME.fullmatch(words) else words


def formula_text(element: etree._Element) -> str:
    """A ``math`` element as TeX: the author's source if it is included, otherwise its structure. Empty if it has no
    content.
    """
    for part in element.iter():
        if local_name(part) == "annotation" and "tex" in (part.get("encoding") or "").lower():
            return squeeze(inner_text(part))
    return squeeze(element.get("alttext") or "") or squeeze(_tex(element, 0))


def _tex(element: etree._Element, depth: int) -> str:
    tag = local_name(element)
    if tag in _FORMULA_SILENT:
        return ""
    if depth > _MAX_FORMULA_LEVELS or not len(element):
        return _leaf(tag, inner_text(element))
    parts = [_tex(child, depth + 1) for child in element]
    write = _WRITERS.get(tag)
    if write is not None:
        return write(element, parts)
    return _script(tag, parts) if tag in _SCRIPTS else _row(element, parts)


def _row(element: etree._Element, parts: list[str]) -> str:
    tails = ((child.tail or "").strip() for child in element)
    return (element.text or "").strip() + "".join(part + tail for part, tail in zip(parts, tails, strict=True))


def _fraction(element: etree._Element, parts: list[str]) -> str:
    return f"\\frac{{{parts[0]}}}{{{parts[1]}}}" if len(parts) == 2 else _row(element, parts)


def _root(element: etree._Element, parts: list[str]) -> str:
    return f"\\sqrt[{parts[1]}]{{{parts[0]}}}" if len(parts) == 2 else _row(element, parts)


def _fenced(element: etree._Element, parts: list[str]) -> str:
    separator = (element.get("separators", ",").strip() or " ")[0]
    return f"{element.get('open', '(')}{separator.join(parts)}{element.get('close', ')')}"


def _matrix(_element: etree._Element, parts: list[str]) -> str:
    rows = " \\\\ ".join(parts)
    return f"\\begin{{matrix}}{rows}\\end{{matrix}}"


_WRITERS: Mapping[str, Callable[[etree._Element, list[str]], str]] = {
    "mfrac": _fraction,
    "mroot": _root,
    "msqrt": lambda _element, parts: f"\\sqrt{{{''.join(parts)}}}",
    "mfenced": _fenced,
    "mtable": _matrix,
    "mtr": lambda _element, parts: " & ".join(parts),
    "mlabeledtr": lambda _element, parts: " & ".join(parts),
}


def _leaf(tag: str, text: str) -> str:
    text = squeeze(text)
    for symbol, plain in _SYMBOLS.items():
        text = text.replace(symbol, plain)
    if tag == "mtext" and text:
        return f"\\text{{{text}}}"
    # A name with several letters would be read as a product.
    return (
        f"\\{text} " if tag == "mi" and text in {"sin", "cos", "tan", "log", "ln", "exp", "lim", "min", "max"} else text
    )


def _script(tag: str, parts: list[str]) -> str:
    if tag == "mover" and len(parts) == 2 and parts[1] in _ACCENTS:
        return f"\\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    wanted = _SCRIPTS[tag].count("{")
    if len(parts) != wanted:
        return "".join(parts)
    base = parts[0] if len(parts[0]) < 2 or parts[0].startswith("\\") else f"{{{parts[0]}}}"
    return _SCRIPTS[tag].format(base, *(part if len(part) == 1 else f"{{{part}}}" for part in parts[1:]))
