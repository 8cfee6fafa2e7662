"""Validates the OLX of a problem that an author wrote or edited, and keeps it unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from xml.sax.saxutils import quoteattr

from django.utils.translation import gettext as _
from lxml import etree, html

from openedx_ai_extensions.edxapp.safe_parsing import BrokenXML, attribute, parse_xml
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.processors.openedx.problem_olx import CATEGORY, PROBLEM_TYPES
from openedx_ai_extensions.processors.openedx.safe_html import ALLOWED, HTML_TAGS, MARKUP, active_commands, printable

MAX_CHARS = 100_000
MAX_REPETITIONS = 4  # in a regular expression
# Escaped characters, sets, repetitions, and everything else one by one.
_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|\{\d*,?\d*\}|.", re.DOTALL)
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
_FIELD = frozenset({"inline", "label", "size", "trailing_text"})
# The attributes of each element; those of ``_EVERYWHERE`` may be on all.
_EVERYWHERE = frozenset({"aria-label", "class", "dir", "lang", "style", "title"})
_CELL = frozenset({"align", "colspan", "headers", "rowspan", "scope", "valign"})
_ATTRIBUTES: Mapping[str, Set[str]] = {
    "a": {"href", "rel", "target"},
    "additional_answer": {"answer"},
    "checkboxgroup": {"direction", "label"},
    "choice": {"correct", "explanation-id", "fixed", "name"},
    "choicegroup": {"direction", "label", "shuffle", "type"},
    "choicehint": {"label", "selected"},
    "choiceresponse": {"partial_credit"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "compoundhint": {"label", "value"},
    "correcthint": {"label"},
    "formulaequationinput": _FIELD,
    "img": {"alt", "height", "src", "width"},
    "multiplechoiceresponse": {"partial_credit"},
    "numericalresponse": {"answer", "partial_credit"},
    "ol": {"start", "type"},
    "option": {"correct"},
    "optionhint": {"label"},
    "optioninput": {"correct", "inline", "label", "options", "shuffle"},
    "problem": {
        "attempts_before_showanswer_button", "display_name", "max_attempts", "rerandomize", "show_reset_button",
        "showanswer", "submission_wait_seconds", "url_name", "weight",
    },
    "radiogroup": {"direction", "label"},
    "regexphint": {"answer", "label"},
    "responseparam": {"default", "description", "type"},
    "solution": {"explanation-id"},
    "stringequalhint": {"answer", "label"},
    "stringresponse": {"answer", "type"},
    "table": {"border", "cellpadding", "cellspacing", "width"},
    "td": _CELL | {"width"},
    "textline": _FIELD,
    "th": _CELL | {"width"},
}  # fmt: skip
_ADDRESSES = frozenset({"href", "src"})
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0]")
# Without a scheme it is a path of the site, such as /static/a.png or /jump_to_id/x.
_ADDRESS = re.compile(r"(?:https?:|mailto:|(?![^/?#]*:))", re.IGNORECASE)
# What editors of texts write; nothing that moves an element over others or loads something.
_STYLE = re.compile(
    r"(?:\s*(?:background-color|border(?:-[a-z]+)*|color|float|font-(?:size|style|weight)|height|list-style-type"
    r"|(?:margin|padding)(?:-[a-z]+)?|text-(?:align|decoration|indent)|vertical-align|width)\s*:"
    r"\s*(?:rgba?\([\d\s,.%]*\)|[\w\s#.,%])*+(?:;|$))*+\s*",
    re.IGNORECASE | re.ASCII,
)
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
    """What may run code, or is not on our lists: elements, attributes, commands in formulas, patterns."""
    for element in root.iter():
        name = str(element.tag)
        if name not in _TAGS:
            yield f"<{name}>"
        for key, value in element.attrib.items():
            if not _is_allowed(name, str(key), str(value)):
                yield f"{name} {key!s}"
            elif key != "display_name":  # the platform escapes it
                yield from _forbidden_in_text(str(value))
        if name in _CAPA:
            yield from _forbidden_in_text(str(element.text or ""))
    yield from (f"\\{command}" for command in active_commands(root))
    if any(not _is_quick(pattern) for pattern in _patterns(root)):
        yield _("a regular expression that may take too long")


def _is_allowed(name: str, key: str, value: str) -> bool:
    """May an element of this name have this attribute?"""
    if key not in _EVERYWHERE and key not in _ATTRIBUTES.get(name, ()):
        return False
    if key in _ADDRESSES:
        return _ADDRESS.match(_INVISIBLE.sub("", value)) is not None
    if key == "style":
        return _STYLE.fullmatch(value) is not None
    return True


def _forbidden_in_text(text: str) -> Iterator[str]:
    """As ``_forbidden``, of a text that the problem block may read as HTML. Names that are not of HTML, as in
    ``List<String>``, do nothing.
    """
    if not MARKUP.search(text):
        return
    for element in html.fragment_fromstring(printable(text), create_parent="div").iter():
        name = element.tag if isinstance(element.tag, str) else "!--"
        if name in HTML_TAGS and name not in _HTML:
            yield f"<{name}>"
        attributes = [(str(key), str(value)) for key, value in element.attrib.items()]
        yield from (f"{name} {key}" for key, value in attributes if not _is_allowed(name, key, value))


def _patterns(root: etree._Element) -> Iterator[str]:
    """The regular expressions with which the problem block compares what learners write."""
    for element in root.iter("regexphint"):
        yield attribute(element, "answer")
    for response in root.iter("stringresponse"):
        if "regexp" in attribute(response, "type").split():
            yield from (attribute(each, "answer") for each in response.iter("stringresponse", "additional_answer"))


def _is_quick(pattern: str) -> bool:
    """Can this pattern be matched in reasonable time? Python's engine has no time limit, and may need exponential time
    for a repeated group with repetitions or alternatives inside. Each further repetition multiplies the time by the
    length of the answer.
    """
    repetitions = 0
    groups = [False]  # the open groups: is there a repetition or an alternative inside?
    previous, is_varied = "", False  # the part before this one, and what is known of the group that it closed
    for part in _PART.findall(pattern):
        if part == "(":
            groups.append(False)
        elif part == ")" and len(groups) > 1:
            is_varied = groups.pop()
            groups[-1] = groups[-1] or is_varied
        elif part[0] in "*+{":
            repetitions += 1
            groups[-1] = True
            if previous == ")" and is_varied:
                return False
        elif part == "|" or (part == "?" and previous != "("):
            groups[-1] = True
        previous = part
    return repetitions <= MAX_REPETITIONS


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
