"""Reads untrusted markup and fields of blocks: trees and texts of limited size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
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
