"""Converts MathML to TeX, which models and people can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml import etree

from openedx_ai_extensions.processors.openedx.blocks.parsing import inner_text, local_name, squeeze

_MAX_DEPTH = 40
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
_SILENT = frozenset({"annotation", "annotation-xml", "mphantom", "mspace", "none", "mprescripts"})


def formula(element: etree._Element) -> str:
    """A ``math`` element as TeX: the author's source if it is included, otherwise its structure. Empty if it has no
    content.
    """
    for part in element.iter():
        if local_name(part) == "annotation" and "tex" in (part.get("encoding") or "").lower():
            return squeeze(inner_text(part))
    return squeeze(element.get("alttext") or "") or squeeze(_tex(element, 0))


def _tex(element: etree._Element, depth: int) -> str:
    tag = local_name(element)
    if tag in _SILENT:
        return ""
    if depth > _MAX_DEPTH or not len(element):
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
