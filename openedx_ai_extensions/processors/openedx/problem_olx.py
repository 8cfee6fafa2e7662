"""Quiz questions as OLX that the problem block parses and grades."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from lxml import etree

from openedx_ai_extensions.processors.openedx.safe_html import INLINE, parse_html, plain_text

CATEGORY = "problem"
# The problem block puts values of its own in place of "$" and these names.
_VARIABLE = re.compile(r"\$(?=seed|anonymous_student_id|script_code|python_path|extra_files|attempt)")
_WORD_JOINER = "\u2060"


def problem_olx(question: Mapping[str, Any]) -> str:
    """The ``<problem>`` of a question.

    Args:
        question: as ``questions.read_question`` returns it; it may lack ``olx``.
    """
    problem = etree.Element("problem", display_name=question["display_name"])
    above, label = _asked(question)
    problem.extend(above)
    response = etree.SubElement(problem, question["problem_type"])
    response.append(_guarded(label))
    _BODIES[question["problem_type"]](response, question)
    if plain_text(question["explanation"]):
        response.append(_solution(question["explanation"]))
    if question["demand_hints"]:
        hints = etree.SubElement(problem, "demandhint")
        hints.extend(_rich("hint", hint) for hint in question["demand_hints"])
        _on_lines(hints)
    _on_lines(response)
    _on_lines(problem)
    _without_variables(problem)
    return str(etree.tostring(problem, encoding="unicode"))


def option_text(html: str) -> str:
    """A choice as a dropdown shows it: no tags, and no characters that the problem block takes for quotes."""
    return plain_text(html).replace("'", "’").replace("&#39;", "’").rstrip("\\ ")


def _asked(question: Mapping[str, Any]) -> tuple[Sequence[etree._Element], etree._Element]:
    """What stands above the answer field, and the field's label: the last paragraph, or the title."""
    asked = parse_html(question["question_html"])
    blocks = list(asked)
    if not any(block.tag not in INLINE for block in blocks):
        asked.tag = "label"
        return [], asked
    last = blocks[-1]
    is_plain = all(child.tag in INLINE for child in last.iterdescendants())
    if last.tag in {"p", "div"} and is_plain and not (last.tail or "").strip():
        asked.remove(last)
        last.tag, last.tail = "label", None
    else:
        last = etree.Element("label")
        last.text = question["display_name"]
    return ([asked] if len(asked) or (asked.text or "").strip() else []), last


def _choices(response: etree._Element, question: Mapping[str, Any]) -> None:
    is_single = response.tag == "multiplechoiceresponse"
    group = etree.SubElement(response, "choicegroup" if is_single else "checkboxgroup")
    if is_single:
        group.set("type", "MultipleChoice")
    for choice in question["choices"]:
        element = _guarded(_rich("choice", choice["text"]))
        element.set("correct", "true" if choice["is_correct"] else "false")
        group.append(element)
        if choice["feedback"]:
            hint = _rich("choicehint", choice["feedback"])
            if not is_single:
                hint.set("selected", "true")
            element.append(hint)
    _on_lines(group)


def _options(response: etree._Element, question: Mapping[str, Any]) -> None:
    field = etree.SubElement(response, "optioninput")
    for choice in question["choices"]:
        option = etree.SubElement(field, "option", correct="True" if choice["is_correct"] else "False")
        option.text = option_text(choice["text"])
        if choice["feedback"]:
            option.append(_rich("optionhint", choice["feedback"]))
    _on_lines(field)


def _number(response: etree._Element, question: Mapping[str, Any]) -> None:
    response.set("answer", question["answer_value"])
    if question["tolerance"]:
        etree.SubElement(response, "responseparam", type="tolerance", default=question["tolerance"])
    etree.SubElement(response, "formulaequationinput")


def _string(response: etree._Element, question: Mapping[str, Any]) -> None:
    response.set("answer", question["answer_value"])
    response.set("type", "ci")
    etree.SubElement(response, "textline", size="20")


_BODIES = {
    "multiplechoiceresponse": _choices,
    "choiceresponse": _choices,
    "optionresponse": _options,
    "numericalresponse": _number,
    "stringresponse": _string,
}
PROBLEM_TYPES = tuple(_BODIES)


def _solution(html: str) -> etree._Element:
    solution = etree.Element("solution")
    body = etree.SubElement(solution, "div")
    body.set("class", "detailed-solution")
    etree.SubElement(body, "p").text = _("Explanation")
    explanation = parse_html(html)
    if not any(block.tag not in INLINE for block in explanation):
        explanation.tag = "p"
    body.append(explanation)
    return solution


def _rich(tag: str, html: str) -> etree._Element:
    """An element with inline HTML."""
    element = parse_html(html, INLINE)
    element.tag = tag
    return element


def _guarded(element: etree._Element) -> etree._Element:
    """A label or a choice whose first words have a "<" or "&": the problem block would take them for markup, but not
    those of a child."""
    if not re.search("[<&]", element.text or ""):
        return element
    guarded = etree.Element(element.tag)
    element.tag = "span"
    guarded.append(element)
    return guarded


def _on_lines(parent: etree._Element) -> None:
    """Each child on a line of its own, for those who read the OLX. Only where space between children means nothing."""
    parent.text = "\n"
    for child in parent:
        child.tail = "\n"


def _without_variables(root: etree._Element) -> None:
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, _inert(str(value)))
        element.text = element.text and _inert(element.text)
        element.tail = element.tail and _inert(element.tail)


def _inert(text: str) -> str:
    return _VARIABLE.sub(f"${_WORD_JOINER}", text)
