"""Sanitises untrusted HTML for problems: an allow-list of tags, without active content.

The result is built from the parsed input, so nothing that is not on the list can pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from html import unescape

from lxml import etree, html
from lxml.html import defs

from openedx_ai_extensions.processors.formulas import find_spans

INLINE = frozenset(
    {
        "abbr", "b", "br", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s", "samp", "small",
        "strong", "sub", "sup", "u", "var",
    }
)  # fmt: skip
BLOCK = frozenset(
    {
        "blockquote", "caption", "dd", "div", "dl", "dt", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
        "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip
ALLOWED = INLINE | BLOCK | {"img"}
_ATTRIBUTES = {
    "img": frozenset({"alt", "src"}),
    "ol": frozenset({"start"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
}
_SHORT_WORD = re.compile(r"[a-z0-9]{1,10}")
_OWN_FILE = re.compile(r"/static/[\w./-]{1,200}", re.ASCII)
# Elements whose text is not meant to be read.
_DROPPED = frozenset(
    {
        "applet", "audio", "canvas", "embed", "frameset", "head", "iframe", "math", "noembed", "noframes", "noscript",
        "object", "option", "plaintext", "script", "select", "style", "svg", "template", "textarea", "title", "video",
        "xmp",
    }
)  # fmt: skip
HTML_TAGS = defs.tags | ALLOWED | _DROPPED
_TAGS = "|".join(sorted(HTML_TAGS))
# "x < y" and "List<String>" are text.
_NO_TAG = re.compile(rf"<(?!!--|/?(?:{_TAGS})(?=[\s/>]))", re.IGNORECASE)
# In a formula, "a<b c" is not a tag with an attribute, and "&times" is a column and a word. Real ones have ">" or ";".
_FORMULA_LESS_THAN = re.compile(r"<(?!/?[a-z][a-z0-9]*\s*/?>)", re.IGNORECASE)
_FORMULA_AMPERSAND = re.compile(
    r"&(?!(?:lt|gt|amp)\b|(?:[a-z][a-z0-9]{1,31}|#[0-9]{1,7}|#x[0-9a-f]{1,6});)", re.IGNORECASE
)
MARKUP = re.compile("<(?=[a-zA-Z/!?])")  # a browser would read it as the start of a tag
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_OPENING = re.compile(rf"<({_TAGS})(?=[\s/>])[^<>]*>", re.IGNORECASE)
_CLOSING = re.compile(rf"</({_TAGS})\s*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-z][a-z0-9]{1,31}|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_MAY_HAVE_FORMULA = re.compile(r"\\[(\[]|\\begin\b|\$|\[mathjax")
# MathJax commands beyond formulas: links, names and styles of elements, further packages, with the argument that names
# them; and definitions of new names for these commands.
_ACTIVE_TEX = re.compile(
    r"(?<!\\)((?:\\\\)*+)\\(?:"
    r"(?:href|url|cssId|class|style|data|unicode|require|mmlToken|texttip|mathtip|toggle|bbox)(?![A-Za-z])"
    r"(?:\s*+\[[^\[\]]*+\])?+(?:\s*+\{[^{}]*+\})?+"
    r"|(?:[egx]?def|let|futurelet|(?:new|renew|provide)command|(?:new|renew)environment|Declare[A-Za-z]++|Newextarrow"
    r"|csname|catcode)(?![A-Za-z])\*?)"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)")
MAX_DEPTH = 40


def parse_html(text: str, tags: Set[str] = ALLOWED) -> etree._Element:
    """A ``div`` with the allowed parts of this HTML, as an XML tree.

    Args:
        text: any HTML.
        tags: the tags of ``ALLOWED`` to keep; of other elements the text is kept.
    """
    escaped = _NO_TAG.sub("&lt;", _with_formulas_escaped(printable(text)))
    parsed = html.fragment_fromstring(escaped, create_parent="div")
    clean = etree.Element("div")
    _copy(parsed, clean, tags, MAX_DEPTH)
    _disarm_formulas(clean)
    return clean


def clean_html(text: str) -> str:
    """The allowed parts of this HTML as HTML, without the ``div``."""
    serialised: str = etree.tostring(parse_html(text), method="html", encoding="unicode")
    return serialised.removeprefix("<div>").removesuffix("</div>").strip()


def plain_text(text: str) -> str:
    """The text of this HTML on one line. It never looks like a tag, wherever it is shown."""
    return MARKUP.sub("< ", words(text))


def words(text: str) -> str:
    """The exact text of this HTML on one line. Show it only as plain text."""
    return _SPACES.sub(" ", "".join(map(str, parse_html(text, frozenset()).itertext()))).strip()


def unmarked(text: str) -> str:
    """Plain text of a model on one line, without tags and entities that it may contain nevertheless.

    Unclosed tags are not formatting: "the <a> element" is kept. The result may look like a tag: show it only as plain
    text.
    """
    opened = {name.lower() for name in _OPENING.findall(text)}
    closed = {name.lower() for name in _CLOSING.findall(text)}
    is_html = not opened.isdisjoint(closed) or "br" in opened
    literal = _ENTITY.sub(lambda found: unescape(found[0]), printable(text))
    if _MAY_HAVE_FORMULA.search(literal):
        literal = _ACTIVE_TEX.sub(r"\1 ", literal)
    return (words(text) if is_html else "") or _SPACES.sub(" ", printable(literal)).strip()


def printable(text: str) -> str:
    """The text without characters that XML does not allow."""
    return _ILLEGAL.sub("", text)


def _with_formulas_escaped(text: str) -> str:
    pieces: list[str] = []
    position = 0
    for span in find_spans(text):
        if not span.is_code:
            formula = _FORMULA_AMPERSAND.sub("&amp;", text[span.start : span.end])
            pieces += [text[position : span.start], _FORMULA_LESS_THAN.sub("&lt;", formula)]
            position = span.end
    return "".join([*pieces, text[position:]])


def _disarm_formulas(root: etree._Element) -> None:
    """Remove commands that may run code from text that MathJax reads; code is left unchanged."""
    if not _MAY_HAVE_FORMULA.search("".join(map(str, root.itertext()))):
        return
    for element in root.iter():
        if element.text and element.tag not in {"code", "pre"}:
            element.text = _ACTIVE_TEX.sub(r"\1 ", str(element.text))
        if element.tail:
            element.tail = _ACTIVE_TEX.sub(r"\1 ", str(element.tail))


def active_commands(root: etree._Element) -> Iterator[str]:
    """The commands in formulas of this tree, attributes included, that may run code, by name."""
    texts = [str(text) for text in root.itertext()]
    attributes = [str(value) for element in root.iter() for value in element.attrib.values()]
    if not _MAY_HAVE_FORMULA.search("".join([*texts, *attributes])):
        return
    for element in root.iter():
        inside = () if element.tag in {"code", "pre"} else (element.text,)
        for text in (*inside, element.tail, *element.attrib.values()):
            for found in _ACTIVE_TEX.finditer(str(text or "")):
                yield _COMMAND.findall(found[0])[-1]


def _copy(source: etree._Element, target: etree._Element, tags: Set[str], depth: int) -> None:
    _append(target, source.text)
    for child in source:
        name = child.tag if isinstance(child.tag, str) else ""  # comments have no name
        if name in tags and depth:
            attributes = _attributes(child, name)
            if name != "img" or "src" in attributes:
                _copy(child, etree.SubElement(target, name, attributes), tags, depth - 1)
        elif name and name not in _DROPPED and depth:
            separator = "" if name in (INLINE | {"span"}) - {"br"} else " "
            _append(target, separator)
            _copy(child, target, tags, depth - 1)
            _append(target, separator)
        _append(target, child.tail)


def _append(target: etree._Element, text: str | None) -> None:
    if not text:
        return
    if len(target):
        target[-1].tail = (target[-1].tail or "") + text
    else:
        target.text = (target.text or "") + text


def _attributes(element: etree._Element, name: str) -> dict[str, str]:
    kept = {}
    for key in sorted(_ATTRIBUTES.get(name, frozenset())):
        value = str(element.get(key) or "")
        if key == "alt" or (_OWN_FILE if key == "src" else _SHORT_WORD).fullmatch(value):
            kept[key] = value
    return kept
