"""Validates the OLX of a problem that an author wrote or edited, and keeps it unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from django.utils.translation import gettext as _
from lxml import etree

from openedx_ai_extensions.edxapp.safe_xml import BrokenXML, attribute, parse_xml
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.processors.openedx.problem_olx import CATEGORY, PROBLEM_TYPES
from openedx_ai_extensions.processors.openedx.safe_html import ALLOWED

MAX_CHARS = 100_000
# The elements that the problem block supports for our problem types; none of them runs code.
_CAPA = frozenset(
    {
        "additional_answer", "checkboxgroup", "choice", "choicegroup", "choicehint", "clarification", "compoundhint",
        "correcthint", "demandhint", "description", "formulaequationinput", "hint", "label", "option", "optionhint",
        "optioninput", "problem", "radiogroup", "regexphint", "responseparam", "solution", "stringequalhint",
        "textline",
    }
)  # fmt: skip
_HTML = ALLOWED | {"a", "center", "col", "colgroup", "figcaption", "figure", "h1", "h2", "section", "span"}
_TAGS = frozenset({*_CAPA, *_HTML, *PROBLEM_TYPES})
_ADDRESSES = frozenset({"href", "src"})
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0]")
_SCRIPT_ADDRESS = re.compile(r"(?:javascript|vbscript|data):", re.IGNORECASE)
_START = re.compile(rf"<{CATEGORY}(?=[\s/>])")
_GROUPS = frozenset({"checkboxgroup", "choicegroup", "radiogroup"})
# The input fields that the problem block supports for each type.
_FIELDS = {
    "multiplechoiceresponse": {"choicegroup"},
    "choiceresponse": {"checkboxgroup", "radiogroup"},
    "optionresponse": {"optioninput"},
    "numericalresponse": {"formulaequationinput", "textline"},
    "stringresponse": {"textline"},
}


def read_olx(data: str, *, title: str) -> str:
    """The OLX to store: unchanged, except that a missing title is added.

    Raises:
        InvalidRequest: it is not a problem of a supported type, is too long, or contains something that may run code.
    """
    if len(data) > MAX_CHARS:
        raise InvalidRequest(_("The OLX has more than {maximum} characters.").format(maximum=MAX_CHARS))
    data = data.strip()
    try:
        root = parse_xml(data.encode("utf-8", "replace"))
    except BrokenXML as error:
        raise InvalidRequest(_("The content of this block is not well-formed XML.")) from error
    if not _START.match(data):
        raise InvalidRequest(_("The content is not that of a block of this type."))
    found = list(dict.fromkeys(_forbidden(root)))
    if found:
        raise InvalidRequest(_("This is not allowed in the OLX of a question: {names}.").format(names=", ".join(found)))
    responses = [element for element in root.iter() if element.tag in PROBLEM_TYPES]
    if not responses:
        names = ", ".join(PROBLEM_TYPES)
        raise InvalidRequest(_("The OLX has no response of one of these types: {names}.").format(names=names))
    if not all(_is_whole(response) and _can_be_right(response) for response in responses):
        raise InvalidRequest(_("The OLX has no answer field, or does not say which answer is right."))
    return data if root.get("display_name") else _START.sub(lambda found: _titled(found[0], title), data, count=1)


def _forbidden(root: etree._Element) -> Iterator[str]:
    """The elements and attributes that may run code or that the problem block does not support."""
    for element in root.iter():
        name = str(element.tag)
        if name not in _TAGS:
            yield f"<{name}>"
        for key, value in element.attrib.items():
            known = str(key).lower()
            runs = known in _ADDRESSES and _SCRIPT_ADDRESS.match(_INVISIBLE.sub("", str(value)))
            if known.startswith(("on", "{")) or runs:
                yield f"{name} {known}"


def _is_whole(response: etree._Element) -> bool:
    """Does it have everything that the problem block requires?"""
    inside = list(response.iterdescendants())
    marked = all(element.get("correct") for element in inside if element.tag in {"choice", "option"})
    groups = [child.tag for element in inside if element.tag in _GROUPS for child in element]
    fields = {element.tag for element in inside} & set().union(*_FIELDS.values())
    return marked and set(groups) <= {"choice", "compoundhint"} and bool(fields) and fields <= _FIELDS[response.tag]


def _can_be_right(response: etree._Element) -> bool:
    if response.tag in {"numericalresponse", "stringresponse"}:
        return bool(attribute(response, "answer").strip())
    marks = [attribute(choice, "correct").lower() for choice in response.iter("choice", "option")]
    right = marks.count("true")
    if response.tag == "choiceresponse":
        return right > 0
    # A dropdown may be written in one line: <optioninput options="('a','b')" correct="a"/>.
    return right == 1 or (not marks and response.find(".//optioninput[@options][@correct]") is not None)


def _titled(start: str, title: str) -> str:
    return f"{start} display_name={quoteattr(title)}" if title else start
